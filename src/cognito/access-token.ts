// Reads a token from Cognito's answer, and divides its lifetime into three zones: fresh, stale and unusable.
import { zonesOf } from './refresh-policy.ts'

/** A token for Hasura. Its times are on the monotonic clock, in ms; its lifetime counts from just before the request was sent. */
export type AccessToken = {
  /** The JWT, as Cognito sent it. */
  readonly value: string
  /** `expires_in` of the answer, in seconds. */
  readonly expiresInSeconds: number
  /** Just before the request was sent; the lifetime counts from here. */
  readonly requestedAtMs: number
  /** When the token becomes stale: still usable, but due for renewal. */
  readonly refreshAtMs: number
  /** When the token becomes unusable, because it might expire before it reaches Hasura. */
  readonly unusableAtMs: number
  readonly expiresAtMs: number
}

/** `fresh`: used; `stale`: used while it is renewed; `unusable`: requests wait for a new token. */
export type Zone = 'fresh' | 'stale' | 'unusable'

/** What Cognito's answer must contain. */
export type TokenAnswer = { accessToken: string; expiresInSeconds: number }

/**
 * Creates a token and computes when its zones begin.
 * @param requestedAtMs monotonic time just before the request was sent, in ms
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

/** Returns the zone of a token at a monotonic time in ms; a zone includes the moment at which it begins. */
export function zoneOf(token: AccessToken, nowMs: number): Zone {
  if (nowMs >= token.unusableAtMs) return 'unusable'
  return nowMs >= token.refreshAtMs ? 'stale' : 'fresh'
}

/** Reads the JSON of a 200 from the token endpoint (RFC 6749, section 5.1). Returns undefined if it is not a token. */
export function readOauthToken(body: unknown): TokenAnswer | undefined {
  const { access_token, token_type, expires_in } = membersOf(body)
  return tokenOf(access_token, token_type, expires_in)
}

/** Reads the JSON of a 200 from `GetClientToken` (Amazon Cognito user pools API). Returns undefined if it is not a token. */
export function readApiToken(body: unknown): TokenAnswer | undefined {
  const { AccessToken, TokenType, ExpiresIn } = membersOf(membersOf(body).ClientAuthenticationResult)
  return tokenOf(AccessToken, TokenType, ExpiresIn)
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? { ...value } : {})

/** Returns a token if there is a value, the type is Bearer in any case, and the lifetime in seconds is positive: a number or its text. */
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

/** The characters of a token, which is sent in a header (RFC 6749, appendix A.12). */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/
