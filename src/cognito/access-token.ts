// What a token is: how Cognito's answer is read, and the three zones of a token's life.
import { zonesOf } from './refresh-policy.ts'

/** A token for Hasura. Its life counts on the monotonic clock, in ms, from before it was asked for. */
export type AccessToken = {
  /** The JWT as Cognito gave it. */
  readonly value: string
  /** `expires_in` of the answer, in seconds. */
  readonly expiresInSeconds: number
  /** From here on its life counts: just before the request went out. */
  readonly requestedAtMs: number
  /** Until here it is fresh; from here on it is stale: good to use, and due for renewal. */
  readonly refreshAtMs: number
  /** From here on it may not reach Hasura in time, so it is not used. */
  readonly unusableAtMs: number
  readonly expiresAtMs: number
}

/** `fresh`: used; `stale`: used while it is renewed; `unusable`: requests wait for its successor. */
export type Zone = 'fresh' | 'stale' | 'unusable'

/** What Cognito's answer must hold. */
export type TokenAnswer = { accessToken: string; expiresInSeconds: number }

/**
 * Lays out a token's life.
 * @param requestedAtMs monotonic time just before the request went out, in ms
 * @param random a number from 0 up to 1, drawn once for the token
 */
export function createAccessToken(answer: TokenAnswer, requestedAtMs: number, random: number): AccessToken {
  const lifetimeMs = answer.expiresInSeconds * 1000
  const { freshMs, usableMs } = zonesOf(lifetimeMs, random)
  return {
    value: answer.accessToken,
    expiresInSeconds: answer.expiresInSeconds,
    requestedAtMs,
    refreshAtMs: requestedAtMs + freshMs,
    unusableAtMs: requestedAtMs + usableMs,
    expiresAtMs: requestedAtMs + lifetimeMs
  }
}

/** The zone of a token at a monotonic time in ms; a zone includes the moment at which it begins. */
export function zoneOf(token: AccessToken, nowMs: number): Zone {
  if (nowMs >= token.unusableAtMs) return 'unusable'
  return nowMs >= token.refreshAtMs ? 'stale' : 'fresh'
}

/** Reads the JSON of a 200 of the token endpoint (RFC 6749, section 5.1). Returns undefined for anything that is no token. */
export function readOauthToken(body: unknown): TokenAnswer | undefined {
  const { access_token, token_type, expires_in } = membersOf(body)
  return tokenOf(access_token, token_type, expires_in)
}

/** Reads the JSON of a 200 of `GetClientToken` (Amazon Cognito user pools API). Returns undefined for anything that is no token. */
export function readApiToken(body: unknown): TokenAnswer | undefined {
  const { AccessToken, TokenType, ExpiresIn } = membersOf(membersOf(body).ClientAuthenticationResult)
  return tokenOf(AccessToken, TokenType, ExpiresIn)
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? { ...value } : {})

/** A token has a value, the type Bearer in any case, and a positive lifetime in seconds, as a number or a numeric string. */
function tokenOf(accessToken: unknown, tokenType: unknown, expiresIn: unknown): TokenAnswer | undefined {
  const expiresInSeconds = typeof expiresIn === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(expiresIn) ? Number(expiresIn) : expiresIn
  const isToken =
    typeof accessToken === 'string' &&
    VISIBLE_ASCII.test(accessToken) &&
    typeof tokenType === 'string' &&
    tokenType.toLowerCase() === 'bearer' &&
    typeof expiresInSeconds === 'number' &&
    Number.isFinite(expiresInSeconds * 1000) &&
    expiresInSeconds > 0
  return isToken ? { accessToken, expiresInSeconds } : undefined
}

/** A token travels in a header, so nothing else may be in it (RFC 6749, appendix A.12). */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/
