// Describes the state of the token and its exchanges for logs, metrics and readiness, without the token itself.
import type { Clock } from '../clock.ts'
import { type AccessToken, type Zone, zoneOf } from './access-token.ts'
import type { ExchangeError, ExchangeFaultCode } from './exchange-error.ts'

/** Why an exchange is made: there was no token, its renewal was due, it had expired, or Hasura refused it. */
export type ExchangeReason = 'start' | 'scheduled' | 'expired' | 'rejected'

/** How an exchange ended. */
type ExchangeOutcome = 'ok' | ExchangeFaultCode

/** The report on one exchange. */
export type ExchangeReport = {
  reason: ExchangeReason
  outcome: ExchangeOutcome
  durationMs: number
  /** The token's lifetime and the time until its renewal, in seconds, and the notices of {@link TokenStatus}; absent after a failure. */
  token?: { expiresInSeconds: number; refreshInSeconds: number; cognitoRequestId: string | undefined; notices: readonly string[] }
  /** Absent after a success. */
  failure?: { error: ExchangeError; consecutive: number; retryInSeconds: number }
}

/** The state at one moment. Unless stated otherwise, times are in seconds from now; a time that does not apply is absent. */
export type TokenStatus = {
  state: 'none' | Zone
  /** Seconds since the token was requested. */
  ageSeconds?: number
  /** Negative once it has expired. */
  expiresInSeconds?: number
  /** When the token expires by the wall clock, in seconds since 1970. */
  expiryTimestampSeconds?: number
  /** Absent while an exchange is under way. */
  nextExchangeInSeconds?: number
  /** Successful exchanges in 30 days at the current rate of renewal. AWS bills only successful ones; each replica makes its own. */
  exchangesPerMonth?: number
  consecutiveFailures: number
  /** The latest failure since the last success. */
  lastFailure?: { code: ExchangeFaultCode; advice: string }
  /** The notices of `preflight` about the current token. */
  notices: readonly string[]
}

/** Returns the part of the status that depends only on the token. */
export function statusOfToken(token: AccessToken | undefined, clock: Clock) {
  if (token === undefined) return { state: 'none' as const }
  const nowMs = clock.nowMs()
  const leftMs = token.expiresAtMs - nowMs
  return {
    state: zoneOf(token, nowMs),
    ageSeconds: (nowMs - token.requestedAtMs) / 1000,
    expiresInSeconds: leftMs / 1000,
    expiryTimestampSeconds: (clock.wallMs() + leftMs) / 1000,
    exchangesPerMonth: Math.ceil(MONTH_MS / (token.refreshAtMs - token.requestedAtMs))
  }
}

const MONTH_MS = 30 * 24 * 3_600_000
