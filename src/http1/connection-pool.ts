// The connections to one target: never more than the bound, kept while they are of use; requests that find none wait in their order.
import { Connection, type ConnectionEvents, type Exchange } from './connection.ts'
import type { Target } from './open-socket.ts'

/** How long a connection is used, in ms, give or take a fifth, so that new addresses of a name are met and not by all at once. */
export const CONNECTION_LIFE_MS = 600_000
/** How often idle connections are looked through for those past their time, in ms. */
const SWEEP_MS = 1_000

/** Time and chance, so that a test can have them as it likes. */
export type Chance = {
  /** A monotonic clock in ms. */
  nowMs(): number
  /** A number from 0 up to 1. */
  random(): number
}

/** A pool of connections to one target. */
export class ConnectionPool {
  readonly #target: Target
  readonly #maxConnections: number
  readonly #chance: Chance
  readonly #open = new Set<Connection>()
  /** The one used last stands last and is taken first, so that those not needed run out of time. */
  readonly #idle: Connection[] = []
  /** Those that became idle in this turn of the event loop. */
  #resting: Connection[] = []
  readonly #events: ConnectionEvents
  #waiting: Exchange[] = []
  #isDue = false
  #isClosed = false
  #session: Buffer | undefined
  #sweeper: NodeJS.Timeout | undefined

  /** @param maxConnections at least 1 */
  constructor(target: Target, maxConnections: number, chance: Chance = { nowMs: () => performance.now(), random: Math.random }) {
    this.#target = target
    this.#maxConnections = maxConnections
    this.#chance = chance
    this.#events = {
      onIdle: connection => this.#onIdle(connection),
      onClose: (connection, failure) => this.#onClose(connection, failure),
      onSession: session => {
        this.#session = session
      }
    }
  }

  /**
   * Sends a request by the first connection that is free, once the sockets that are ready in this turn of the event loop have been read:
   * writes right after each other cost less, and a lone one waits for nothing. A connection is used again a turn later at the earliest:
   * bytes that came on it unasked have been read by then, and are not taken for the next answer.
   */
  send(exchange: Exchange): void {
    this.#waiting.push(exchange)
    this.#endTurn()
  }

  /** Closes every connection; requests under way or waiting fail. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#sweeper)
    for (const connection of this.#open) connection.destroy(new Error('the pool is closed'))
    this.#endTurn()
  }

  #endTurn(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      this.#sendWaiting()
      this.#takeRested()
    })
  }

  #sendWaiting(): void {
    this.#waiting = this.#waiting.filter(({ isOver }) => !isOver)
    if (this.#waiting.length === 0) return
    if (this.#isClosed) this.#failWaiting()
    let sent = 0
    for (const exchange of this.#waiting) {
      const connection = this.#takeIdle()
      if (connection === undefined) break
      connection.send(exchange)
      sent += 1
    }
    this.#waiting = sent === this.#waiting.length ? [] : this.#waiting.slice(sent)
    if (this.#waiting.length > 0) this.#makeConnections(this.#waiting.length - this.#resting.length)
  }

  #failWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const exchange of waiting) exchange.onError(new Error('the pool is closed'))
  }

  #makeConnections(wanted: number): void {
    let making = 0
    for (const { isMade } of this.#open) if (!isMade) making += 1
    for (let n = making; n < wanted && this.#open.size < this.#maxConnections; n += 1) {
      const { nowMs, random } = this.#chance
      const endOfLifeMs = nowMs() + CONNECTION_LIFE_MS * (0.8 + 0.4 * random())
      this.#open.add(new Connection(this.#target, this.#session, this.#events, endOfLifeMs, nowMs))
    }
  }

  #takeRested(): void {
    const rested = this.#resting
    this.#resting = []
    const nowMs = this.#chance.nowMs()
    for (const connection of rested) {
      if (connection.isUsableAt(nowMs)) this.#idle.push(connection)
      else connection.destroy()
    }
    if (rested.length > 0 && this.#waiting.length > 0) this.#endTurn()
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.isUsableAt(this.#chance.nowMs())) return connection
      connection.destroy()
    }
    return undefined
  }

  #onIdle(connection: Connection): void {
    this.#resting.push(connection)
    this.#endTurn()
    this.#sweeper ??= setTimeout(() => this.#sweep(), SWEEP_MS).unref()
  }

  #onClose(connection: Connection, failure: Error | undefined): void {
    this.#open.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    // A connection that could not be made takes one request with it: its caller decides whether to try again.
    if (failure)
      this.#waiting
        .splice(
          Math.max(
            0,
            this.#waiting.findIndex(({ isOver }) => !isOver)
          ),
          1
        )[0]
        ?.onError(failure)
    if (this.#waiting.length > 0) this.#endTurn()
  }

  #sweep(): void {
    this.#sweeper = undefined
    const nowMs = this.#chance.nowMs()
    for (const connection of this.#idle) if (!connection.isUsableAt(nowMs)) connection.destroy()
    if (this.#idle.length > 0) this.#sweeper = setTimeout(() => this.#sweep(), SWEEP_MS).unref()
  }
}
