// When to try the token endpoint again after a failure. Pure: chance and time are arguments.

/** A fault of `configuration` stays until an operator mends it; a `passing` one may be over by itself. */
export type FailureKind = 'configuration' | 'passing'

/** The wait after a fault of configuration, in ms, before its spread. */
export const CONFIGURATION_WAIT_MS = 60_000
/** The spread of that wait to either side, as a share of it. */
export const CONFIGURATION_WAIT_SPREAD = 0.2
/** The unit of the back-off, in ms. */
export const BACKOFF_UNIT_MS = 500
/** The longest back-off, in ms. */
export const BACKOFF_MAX_MS = 30_000
/** The longest wait that a `Retry-After` may ask for, in ms. */
export const RETRY_AFTER_MAX_MS = 300_000

/**
 * The wait before the next try, in ms. Configuration: 60 s ± 20 %. Passing: random between 0 and min(30 s, 500 ms · 2ⁿ)
 * ("full jitter": AWS Architecture Blog, "Exponential Backoff And Jitter"), and never less than `Retry-After`.
 * @param failures how many tries in a row have failed, this one included; 1 or more
 * @param retryAfterMs what the endpoint asked for, in ms
 * @param random a number from 0 up to 1
 */
export function retryDelayMs(kind: FailureKind, failures: number, retryAfterMs: number | undefined, random: number): number {
  if (kind === 'configuration') return CONFIGURATION_WAIT_MS * (1 + (random * 2 - 1) * CONFIGURATION_WAIT_SPREAD)
  const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_UNIT_MS * 2 ** failures) * random
  return Math.max(backoffMs, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS))
}

/**
 * Reads `Retry-After`, in ms: whole seconds or an HTTP date (RFC 9110, section 10.2.3); undefined where it is neither.
 * @param date the `Date` of the same answer, against which a date is read, so that this machine's clock does not matter
 * @param wallMs the wall clock, used where the answer has no date
 */
export function readRetryAfter(value: string | undefined, date: string | undefined, wallMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000
  const untilMs = readHttpDate(value)
  return untilMs === undefined ? undefined : Math.max(0, untilMs - (readHttpDate(date) ?? wallMs))
}

/** Reads an HTTP date in any of its three forms (RFC 9110, section 5.6.7), in ms since 1970; undefined where it is none. */
export function readHttpDate(value: string | undefined): number | undefined {
  if (value === undefined || !/^\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value)) return undefined
  // The form of asctime names no zone, and would be read as this machine's.
  const dateMs = Date.parse(/GMT\s*$/.test(value) ? value : `${value} GMT`)
  return Number.isNaN(dateMs) ? undefined : dateMs
}
