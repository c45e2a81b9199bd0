// Refreshes something in the background: at once, every five minutes, on demand, and sooner after a failure.
import { type Clock, systemClock } from '../clock.ts'

/** The time from one success to the next attempt, in ms. */
export const REFRESH_MS = 300_000
/** The time to the next attempt after the first failure, in ms; it doubles with each, up to {@link REFRESH_MS}. */
export const FIRST_RETRY_MS = 1_000

/** Options of {@link startRefreshLoop}. */
type Refreshed = {
  /** Makes one attempt. The signal aborts when the loop is stopped or restarted. */
  refresh: (signal: AbortSignal) => Promise<void>
  /** Called after each failure with the time to the next attempt. */
  onFailure: (error: unknown, retryInMs: number) => void
  /** Default: the clock of this machine. */
  clock?: Clock
  /** Returns numbers from 0 up to 1; default Math.random. */
  random?: () => number
}

/** A running loop. */
type RefreshLoop = {
  /** Aborts any attempt under way and starts a new one. */
  refreshNow(): void
  /** Aborts any attempt under way and ends the loop. */
  stop(): void
}

/** Starts a loop without waiting for the first attempt. Only one attempt runs at a time. */
export function startRefreshLoop({ refresh, onFailure, clock = systemClock, random = Math.random }: Refreshed): RefreshLoop {
  let current = new AbortController()
  let underWay: Promise<void> = Promise.resolve()
  let cancelTimer = () => {}
  let failures = 0

  const attempt = async (signal: AbortSignal): Promise<void> => {
    let delayMs: number
    try {
      if (signal.aborted) return
      await refresh(signal)
      failures = 0
      // Partly random, so that replicas that started together do not call Hasura together.
      delayMs = REFRESH_MS * (0.9 + random() / 10)
    } catch (error) {
      if (signal.aborted) return
      delayMs = Math.round(Math.min(REFRESH_MS, FIRST_RETRY_MS * 2 ** failures++) * (0.5 + random() / 2))
      onFailure(error, delayMs)
    }
    if (!signal.aborted) cancelTimer = clock.setTimer(refreshNow, delayMs)
  }

  const stop = () => {
    current.abort()
    cancelTimer()
  }

  const refreshNow = () => {
    stop()
    current = new AbortController()
    const { signal } = current
    underWay = underWay.then(() => attempt(signal))
  }

  refreshNow()
  return { refreshNow, stop }
}
