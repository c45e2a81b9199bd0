// The clock and its timers, passed as an argument so that a test can step through an hour of a token's life in a moment.

/** A source of time and one-shot timers. */
export type Clock = {
  /** Monotonic time in ms from an arbitrary origin. */
  nowMs(): number
  /** Wall-clock time in ms since 1970, for display and for comparing clocks; never for a token's lifetime. */
  wallMs(): number
  /** Calls `callback` once after `delayMs`, from 0 to 2^31 - 1; returns a function that cancels the timer. */
  setTimer(callback: () => void, delayMs: number): () => void
}

/** The longest delay of a Node.js timer, in ms; a longer one fires at once (Node.js documentation, `setTimeout`). */
export const TIMER_MAX_MS = 2 ** 31 - 1

/**
 * The clock of this machine. Its timers do not keep the process alive. On Linux, monotonic time stops while the machine is suspended
 * (clock_gettime(2), CLOCK_MONOTONIC), so afterwards a token can be older than it seems; Hasura then refuses it, and it is renewed.
 */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  }
}

/** Resolves to the result of `work`, or to undefined after `timeMs`; the work itself continues. */
export function within<T>(clock: Clock, timeMs: number, work: Promise<T>): Promise<T | undefined> {
  let cancel = () => {}
  const deadline = new Promise<undefined>(resolve => {
    cancel = clock.setTimer(() => resolve(undefined), timeMs)
  })
  return Promise.race([work, deadline]).finally(() => cancel())
}
