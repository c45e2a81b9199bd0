// The connections to Hasura: kept while they are of use, never more than the bound; what finds none waits in its order.
import { Connection, type ConnectionEvents, type Exchange, type Target } from './connection.ts'

/** How often idle connections are looked through for those past their time, in ms. */
const SWEEP_MS = 1_000

/** A pool of connections to one target. */
export class ConnectionPool {
  readonly #target: Target
  readonly #maxConnections: number
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

  /** @param maxConnections at the least 1 */
  constructor(target: Target, maxConnections: number) {
    this.#target = target
    this.#maxConnections = maxConnections
    this.#events = {
      onIdle: connection => this.#onIdle(connection),
      onClose: connection => this.#onClose(connection),
      onSession: session => {
        this.#session = session
      }
    }
  }

  /**
   * Sends a request by the next connection there is, once this turn's sockets have been read: writes one right after the other cost
   * less. A connection is used again a turn later at the earliest: what came on it unasked has been read by then, and is not taken for
   * the next answer.
   */
  send(exchange: Exchange): void {
    this.#waiting.push(exchange)
    this.#endTurn()
  }

  /** Cuts every connection; what is under way fails. */
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
      const rested = this.#resting
      this.#resting = []
      const nowMs = performance.now()
      for (const connection of rested) if (connection.isUsableAt(nowMs)) this.#idle.push(connection)
      if (rested.length > 0 && this.#waiting.length > 0) this.#endTurn()
    })
  }

  #sendWaiting(): void {
    let sent = 0
    for (const exchange of this.#waiting) {
      if (!exchange.isOver && !this.#trySend(exchange)) break
      sent += 1
    }
    this.#waiting = sent === this.#waiting.length ? [] : this.#waiting.slice(sent)
  }

  #trySend(exchange: Exchange): boolean {
    if (this.#isClosed) {
      exchange.onError(new Error('the pool is closed'))
      return true
    }
    const idle = this.#takeIdle()
    if (idle) idle.send(exchange)
    else if (this.#open.size < this.#maxConnections) this.#open.add(new Connection(this.#target, this.#session, exchange, this.#events))
    else return false
    return true
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.isUsableAt(performance.now())) return connection
      connection.destroy()
    }
    return undefined
  }

  #onIdle(connection: Connection): void {
    this.#resting.push(connection)
    this.#endTurn()
    this.#sweeper ??= setTimeout(() => this.#sweep(), SWEEP_MS).unref()
  }

  #onClose(connection: Connection): void {
    this.#open.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    if (this.#waiting.length > 0) this.#endTurn()
  }

  #sweep(): void {
    this.#sweeper = undefined
    const nowMs = performance.now()
    for (const connection of this.#idle) if (!connection.isUsableAt(nowMs)) connection.destroy()
    if (this.#idle.length > 0) this.#sweeper = setTimeout(() => this.#sweep(), SWEEP_MS).unref()
  }
}
