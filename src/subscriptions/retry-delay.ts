// Computes how long to wait before connecting to Hasura again.

/** The shortest wait, in ms. */
export const RETRY_DELAY_MIN_MS = 500
/** The longest wait, in ms. */
export const RETRY_DELAY_MAX_MS = 30_000

/**
 * Returns the n-th consecutive wait, in ms: random between 0.5 s and min(30 s, 0.5 s · 2ⁿ), so that replicas do not reconnect together.
 * @param attempt counted from 1
 * @param random a number from 0 up to 1
 * @param timeoutMs how long a subscription may be without success, in ms. No wait is longer than a quarter of it, so that a Hasura that
 *   recovers in time is also noticed in time
 */
export function retryDelayMs(attempt: number, random: number, timeoutMs: number): number {
  const boundMs = Math.max(RETRY_DELAY_MIN_MS, Math.min(RETRY_DELAY_MAX_MS, timeoutMs / 4))
  const mostMs = Math.min(boundMs, RETRY_DELAY_MIN_MS * 2 ** attempt)
  return RETRY_DELAY_MIN_MS + random * (mostMs - RETRY_DELAY_MIN_MS)
}
