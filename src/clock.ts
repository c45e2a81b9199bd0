// Time as an argument, so that tests step through an hour of a token's life in a moment.

/** A source of time and one-shot timers. */
export type Clock = {
  /** Monotonic time in ms; its zero is arbitrary. */
  nowMs(): number
  /** The wall clock, in ms since 1970; for people and for comparing clocks, never for a token's life. */
  wallMs(): number
  /** Calls back once after a delay in ms, 0 to 2^31 - 1; returns a function that cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void
}

/** The longest delay of a Node.js timer, in ms; a longer one would fire at once (Node.js documentation, `setTimeout`). */
export const TIMER_MAX_MS = 2 ** 31 - 1

/**
 * The clock of this machine. Its timers do not keep the process alive. On Linux its monotonic time stands still while the machine
 * sleeps (clock_gettime(2), CLOCK_MONOTONIC), so a token may be older than it looks after a sleep; Hasura's refusal renews it then.
 */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  }
}

/** Resolves to the result of the work, or to undefined if it takes longer than `timeMs`; the work itself goes on. */
export function within<T>(clock: Clock, timeMs: number, work: Promise<T>): Promise<T | undefined> {
  let cancel = () => {}
  const deadline = new Promise<undefined>(resolve => {
    cancel = clock.setTimer(() => resolve(undefined), timeMs)
  })
  return Promise.race([work, deadline]).finally(() => cancel())
}
