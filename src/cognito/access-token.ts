// What a token is: how the token endpoint's answer is read, and the three zones of a token's life.
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

/** What a token endpoint's answer must hold (RFC 6749, section 5.1). */
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

/**
 * Reads the JSON of a 200 of the token endpoint: a non-empty `access_token`, `token_type` Bearer in any case and a positive
 * `expires_in`, as a number or a numeric string. Returns undefined for anything else.
 */
export function readTokenAnswer(body: unknown): TokenAnswer | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { access_token, token_type, expires_in } = body as Record<string, unknown>
  const expiresInSeconds = typeof expires_in === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(expires_in) ? Number(expires_in) : expires_in
  const isToken =
    typeof access_token === 'string' &&
    VISIBLE_ASCII.test(access_token) &&
    typeof token_type === 'string' &&
    token_type.toLowerCase() === 'bearer' &&
    typeof expiresInSeconds === 'number' &&
    Number.isFinite(expiresInSeconds * 1000) &&
    expiresInSeconds > 0
  return isToken ? { accessToken: access_token, expiresInSeconds } : undefined
}

/** A token travels in a header, so nothing else may be in it (RFC 6749, appendix A.12). */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/
