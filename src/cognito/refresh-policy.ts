// Decides when to request a token: before the old one expires, and again after a failure. Pure: random numbers and times are arguments.

/** A `configuration` fault stays until an operator fixes it; a `passing` one may end by itself. */
export type FailureKind = 'configuration' | 'passing'

/** The share of its lifetime in which a token is fresh; AWS advises 75 % (Cognito developer guide, "Managing user pool token caching"). */
const FRESH_SHARE = 0.75
/** How far that share varies to either side, so that replicas started together do not renew together. */
const FRESH_SPREAD = 0.05
/** The share at the end of a token's lifetime in which it is unusable, because a request might reach Hasura too late. */
const UNUSABLE_SHARE = 0.02
/** The longest time at the end in which a token is unusable, in ms. */
const UNUSABLE_MAX_MS = 10_000
/** The shortest time between two renewals forced by Hasura's refusals, in ms. */
export const FORCED_RENEWAL_INTERVAL_MS = 30_000

/** The wait after a configuration fault, in ms, before random variation. */
const CONFIGURATION_WAIT_MS = 60_000
/** How far that wait varies to either side, as a share of it. */
const CONFIGURATION_WAIT_SPREAD = 0.2
/** The unit of the back-off, in ms. */
const BACKOFF_UNIT_MS = 500
/** The longest back-off, in ms. */
const BACKOFF_MAX_MS = 30_000
/** The longest wait that a `Retry-After` may ask for, in ms. */
const RETRY_AFTER_MAX_MS = 300_000

/**
 * Returns how long a token is fresh and how long it is usable, both in ms from the start of its lifetime.
 * @param random a number from 0 up to 1, drawn once for the token
 */
export function zonesOf(lifetimeMs: number, random: number): { freshMs: number; usableMs: number } {
  return {
    freshMs: lifetimeMs * (FRESH_SHARE + (random * 2 - 1) * FRESH_SPREAD),
    usableMs: lifetimeMs - Math.min(lifetimeMs * UNUSABLE_SHARE, UNUSABLE_MAX_MS)
  }
}

/**
 * Returns the wait before the next try, in ms. Configuration: 60 s ± 20 %. Passing: random between 0 and min(30 s, 500 ms · 2ⁿ)
 * ("full jitter": AWS Architecture Blog, "Exponential Backoff And Jitter"), and never less than `Retry-After`.
 * @param failures consecutive failures, this one included; at least 1
 * @param retryAfterMs the `Retry-After` of the endpoint, in ms
 * @param random a number from 0 up to 1
 */
export function retryDelayMs(kind: FailureKind, failures: number, retryAfterMs: number | undefined, random: number): number {
  if (kind === 'configuration') return CONFIGURATION_WAIT_MS * (1 + (random * 2 - 1) * CONFIGURATION_WAIT_SPREAD)
  const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_UNIT_MS * 2 ** failures) * random
  return Math.max(backoffMs, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS))
}
