// Lets a bounded number of calls run at once; whoever waits for one takes turns with the other callers.
import { GatewayError } from '../errors.ts'

/** How many calls run at once, and how many requests may wait. */
export type TurnLimits = {
  /** Calls under way at once; at least 1. */
  atOnce: number
  /** Requests that wait for a turn; 0 lets none wait. */
  waitingMax: number
}

/** The share of turns that one caller leaves to the others, rounded down: fewer than eight turns have none to spare. */
const SHARE_FOR_OTHERS = 1 / 8
/** When a refused caller may try again, in s. */
const RETRY_AFTER_SECONDS = 1

/** One request that waits. */
type Waiter = { readonly admit: () => void; readonly refuse: (error: GatewayError) => void }

/**
 * Turns for calls of an upstream. The requests of one caller are served in their order, and callers one after the other, so that a
 * caller who sends thousands delays the others by one call each. No caller holds every turn, however slowly it reads its answers. Every turn that was taken must be given back.
 */
export class FairTurns {
  readonly #limits: TurnLimits
  /** Waiting requests by caller; the caller who is served next comes first. */
  readonly #waiting = new Map<string, Set<Waiter>>()
  /** Turns under way by caller. */
  readonly #held = new Map<string, number>()
  #waitingCount = 0
  #underWay = 0

  constructor(limits: TurnLimits) {
    this.#limits = limits
  }

  /** How many requests wait. */
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
   * Waits for a turn where none is free. Where too many wait already, the latest request of whoever has most of them is refused.
   * @param caller whose turn it is; requests of one caller queue behind each other
   * @param signal ends the waiting: the promise rejects with its reason
   * @throws {GatewayError} `OVERLOADED`
   */
  async wait(caller: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#waitingCount >= this.#limits.waitingMax) this.#makeRoomFor(caller)
    await this.#enqueue(caller, signal)
  }

  /** Gives a caller's turn back; the next waiting request that may have it gets it. */
  release(caller: string): void {
    const held = (this.#held.get(caller) ?? 0) - 1
    if (held > 0) this.#held.set(caller, held)
    else this.#held.delete(caller)
    this.#underWay -= 1
    for (const [next, queue] of this.#waiting) {
      const [waiter] = queue
      if (waiter === undefined || !this.#mayTake(next)) continue
      this.#remove(next, waiter)
      // The caller goes to the end of the line.
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

  #enqueue(caller: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#remove(caller, waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        },
        refuse: error => {
          signal.removeEventListener('abort', leave)
          reject(error)
        }
      }
      signal.addEventListener('abort', leave, { once: true })
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

  /** Refuses the latest request of whoever has most of them waiting, the new one counted. */
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

const queueIsFull = () =>
  new GatewayError('OVERLOADED', {
    message: 'As many requests wait for Hasura as GRAPHQL_QUEUE allows.',
    retryAfterSeconds: RETRY_AFTER_SECONDS
  })
