// Limits how many calls run at once; beyond the limit, callers wait and are served in turn.
import { type Clock, systemClock } from '../clock.ts'
import { GatewayError } from '../errors.ts'

/** The limits on calls and on waiting requests. */
type TurnLimits = {
  /** The most calls under way at once; at least 1. */
  atOnce: number
  /** The most requests that wait for a turn; with 0, none may wait. */
  waitingMax: number
}

/** The share of turns that no single caller may take, rounded down: with fewer than eight turns, nothing is reserved. */
const SHARE_FOR_OTHERS = 1 / 8
/** The message when no more requests may wait. */
export const QUEUE_IS_FULL = 'Too many requests are waiting for Hasura: GRAPHQL_QUEUE is reached.'
/** The `Retry-After` of a refused request, in seconds. */
const RETRY_AFTER_SECONDS = 1

/** One waiting request. */
type Waiter = { readonly admit: () => void; readonly refuse: (error: unknown) => void }

/**
 * Turns for calls to an upstream. The requests of one caller are served in order, and callers in rotation, so that a caller with thousands
 * of requests delays each other caller by one call. No caller can hold every turn, however slowly it reads its answers. Every turn that
 * is taken must be released.
 */
export class FairTurns {
  readonly #limits: TurnLimits
  readonly #clock: Clock
  /** Waiting requests by caller; the next caller to be served comes first. */
  readonly #waiting = new Map<string, Set<Waiter>>()
  /** Turns under way by caller. */
  readonly #held = new Map<string, number>()
  #waitingCount = 0
  #underWay = 0

  /** @param clock default: this machine's */
  constructor(limits: TurnLimits, clock: Clock = systemClock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** The number of waiting requests. */
  get waitingCount(): number {
    return this.#waitingCount
  }

  /** Takes a turn for a caller if one is free. */
  tryTake(caller: string): boolean {
    if (!this.#mayTake(caller)) return false
    this.#hold(caller)
    return true
  }

  /**
   * Waits for a turn after `tryTake` has failed. If too many requests wait already, refuses the latest request of the caller with the most.
   * @param caller requests of the same caller are served in order
   * @param maxMs the longest wait, in ms
   * @param signal ends the wait: the promise rejects with its reason
   * @throws {GatewayError} `OVERLOADED`; `UPSTREAM_TIMEOUT` if no turn came free in time
   */
  async wait(caller: string, maxMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#waitingCount >= this.#limits.waitingMax) this.#makeRoomFor(caller)
    await this.#enqueue(caller, maxMs, signal)
  }

  /** Releases a caller's turn and gives it to the next waiting request that may have it. */
  release(caller: string): void {
    const held = (this.#held.get(caller) ?? 0) - 1
    if (held > 0) this.#held.set(caller, held)
    else this.#held.delete(caller)
    this.#underWay -= 1
    for (const [next, queue] of this.#waiting) {
      const [waiter] = queue
      if (waiter === undefined || !this.#mayTake(next)) continue
      this.#remove(next, waiter)
      // The caller moves to the end of the rotation.
      if (this.#waiting.delete(next)) this.#waiting.set(next, queue)
      this.#hold(next)
      waiter.admit()
      return
    }
  }

  #mayTake(caller: string): boolean {
    const { atOnce } = this.#limits
    if (this.#underWay >= atOnce) return false
    return (this.#held.get(caller) ?? 0) < atOnce - Math.floor(atOnce * SHARE_FOR_OTHERS)
  }

  #hold(caller: string): void {
    this.#held.set(caller, (this.#held.get(caller) ?? 0) + 1)
    this.#underWay += 1
  }

  // A timer and a listener: AbortSignal.any and AbortSignal.timeout took 17 of the 125 µs that a request cost at 256 connections.
  #enqueue(caller: string, maxMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        cancelTimer()
        signal.removeEventListener('abort', leave)
      }
      const waiter: Waiter = {
        admit: () => {
          end()
          resolve()
        },
        refuse: error => {
          end()
          reject(error)
        }
      }
      const giveUp = (error: unknown) => {
        this.#remove(caller, waiter)
        waiter.refuse(error)
      }
      const leave = () => giveUp(signal.reason)
      const cancelTimer = this.#clock.setTimer(() => giveUp(new GatewayError('UPSTREAM_TIMEOUT')), maxMs)
      signal.addEventListener('abort', leave)
      const queue = this.#waiting.get(caller)
      if (queue) queue.add(waiter)
      else this.#waiting.set(caller, new Set([waiter]))
      this.#waitingCount += 1
    })
  }

  #remove(caller: string, waiter: Waiter): void {
    const queue = this.#waiting.get(caller)
    if (!queue?.delete(waiter)) return
    this.#waitingCount -= 1
    if (queue.size === 0) this.#waiting.delete(caller)
  }

  /** Refuses the latest request of the caller with the most waiting requests, including the new one. */
  #makeRoomFor(newcomer: string): void {
    let largest: readonly [caller: string, queue: Set<Waiter>] | undefined
    for (const entry of this.#waiting) if (entry[1].size > (largest?.[1].size ?? 0)) largest = entry
    const newcomerCount = (this.#waiting.get(newcomer)?.size ?? 0) + 1
    if (largest === undefined || newcomerCount >= largest[1].size) throw queueIsFull()
    const [caller, queue] = largest
    const latest = [...queue].at(-1)
    if (latest === undefined) throw queueIsFull()
    this.#remove(caller, latest)
    latest.refuse(queueIsFull())
  }
}

const queueIsFull = () => new GatewayError('OVERLOADED', { message: QUEUE_IS_FULL, retryAfterSeconds: RETRY_AFTER_SECONDS })
