// Tries something in the background until it succeeds, at growing distances, without keeping the process alive.

/** The distance after the first failure, in ms; it doubles with each. */
export const FIRST_RETRY_MS = 1_000
/** The largest distance, in ms. */
export const MAX_RETRY_MS = 300_000

/** What there is to try. */
type Retried = {
  /** One try; told how to learn that the work is to end. */
  attempt: (signal: AbortSignal) => Promise<void>
  /** Told of each failure and when the next try is. */
  onFailure: (error: unknown, retryInMs: number) => void
  /** Calls back after so many ms, and gives what cancels that. Default: an unref'd timer. */
  setTimer?: (callback: () => void, ms: number) => () => void
  /** Numbers from 0 up to 1; default Math.random. */
  random?: () => number
}

/** Begins at once and does not wait; the function it gives ends the trying. */
export function retryUntilDone({ attempt, onFailure, setTimer = unrefTimer, random = Math.random }: Retried): () => void {
  const stop = new AbortController()
  let cancelTimer = () => {}
  const run = async (failures: number): Promise<void> => {
    try {
      await attempt(stop.signal)
    } catch (error) {
      if (stop.signal.aborted) return
      // Half of it is drawn, so that replicas which started together do not ask together.
      const delayMs = Math.round(Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures) * (0.5 + random() / 2))
      onFailure(error, delayMs)
      cancelTimer = setTimer(() => void run(failures + 1), delayMs)
    }
  }
  void run(0)
  return () => {
    stop.abort()
    cancelTimer()
  }
}

function unrefTimer(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms).unref()
  return () => clearTimeout(timer)
}
