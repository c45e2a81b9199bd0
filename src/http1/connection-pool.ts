// Pools the connections to one target, up to a maximum; a request that finds none free waits, first come, first served.
import { Connection, type ConnectionEvents, type Exchange } from './connection.ts'
import type { Target } from './open-socket.ts'

/** How long a connection is used, in ms. The limit makes the client notice new addresses of a name. */
const CONNECTION_LIFE_MS = 600_000
/** By how much the life of a connection may differ from that, in ms, so that not all are replaced at once. */
const LIFE_SPREAD_MS = 120_000
/** How often expired idle connections are closed, in ms. */
const SWEEP_MS = 1_000

/** The sources of time and randomness, which tests replace. */
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
  /** A stack: the connection used last is reused first, so that surplus connections expire. */
  readonly #idle: Connection[] = []
  /** The connections that became idle in this turn of the event loop. */
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
   * Sends a request on the first free connection, once the sockets that are ready in this turn of the event loop have been read. Writing
   * the requests of one turn together costs less CPU time, and a single request does not wait for others. A connection is reused one turn
   * later at the earliest: by then, unsolicited bytes on it have been read, so they are not taken for the next answer.
   */
  send(exchange: Exchange): void {
    this.#waiting.push(exchange)
    this.#endTurn()
  }

  /** Closes every connection; requests in progress and waiting requests fail. */
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
      const endOfLifeMs = nowMs() + CONNECTION_LIFE_MS + LIFE_SPREAD_MS * (2 * random() - 1)
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
    // Each connection that closes unused fails one request; otherwise a peer that closes at once would make the pool reconnect forever.
    if (failure) this.#failFirst(failure)
    if (this.#waiting.length > 0) this.#endTurn()
  }

  #failFirst(failure: Error): void {
    const index = this.#waiting.findIndex(({ isOver }) => !isOver)
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.onError(failure)
  }

  #sweep(): void {
    this.#sweeper = undefined
    const nowMs = this.#chance.nowMs()
    for (const connection of this.#idle) if (!connection.isUsableAt(nowMs)) connection.destroy()
    if (this.#idle.length > 0) this.#sweeper = setTimeout(() => this.#sweep(), SWEEP_MS).unref()
  }
}
