// A clock that moves only when a test advances it.
import type { Clock } from '../../src/clock.ts'

type Timer = { atMs: number; callback: () => void }

/** A clock for the token manager; `advance` runs the timers that fall due, in order. */
export class FakeClock implements Clock {
  timeMs = 0
  wallStartMs = Date.UTC(2026, 0, 1)
  readonly timers = new Set<Timer>()

  nowMs(): number {
    return this.timeMs
  }

  wallMs(): number {
    return this.wallStartMs + this.timeMs
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { atMs: this.timeMs + delayMs, callback }
    this.timers.add(timer)
    return () => void this.timers.delete(timer)
  }

  /** Advances by this many ms; after each timer, runs what it started as far as possible without time passing. */
  async advance(ms: number): Promise<void> {
    const endMs = this.timeMs + ms
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.timeMs = Math.max(this.timeMs, next.atMs)
      this.timers.delete(next)
      next.callback()
      await settle()
    }
    this.timeMs = endMs
    await settle()
  }

  /** Jumps without running the timers that fall due, like a machine that slept. */
  sleep(ms: number): void {
    this.timeMs += ms
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.timers) if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer
    return next
  }
}

/** Lets every promise that can settle without time or I/O do so. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
