// Keeps the connection to Hasura for one role: reconnects after a break, and hands over to a new connection when the token is renewed.
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Feed } from './feed.ts'
import { HasuraConnection } from './hasura-connection.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { OpenTransport } from './transport.ts'
import { initMessage } from './wire-message.ts'

/** The source of tokens: the token manager. */
export type TokenSource = {
  getToken(waitMs?: number): string | Promise<string>
  rejectToken(refused: string, waitMs?: number): Promise<string | undefined>
}

/** The close codes with which Hasura refuses a token: Forbidden and Unauthorized. */
const REFUSED: readonly number[] = [4403, 4401]

/** How a connection ended, for an operator. */
export type ConnectionEnd = { code: number; fault: string | undefined; isRefusal: boolean }

/** Options of {@link RoleLink}. */
export type RoleLinkOptions = {
  open: OpenTransport
  tokens: TokenSource
  /** Returns the headers of `connection_init` for a token. */
  headersFor: (token: string) => Readonly<Record<string, string>>
  /** How long a feed may be without success, in ms. */
  timeoutMs: number
  clock: Clock
  random: () => number
  onConnectionEnd: (end: ConnectionEnd) => void
}

/** Keeps the feeds of one role on the newest connection; without feeds it has no connection. */
export class RoleLink {
  readonly #options: RoleLinkOptions
  readonly #feeds = new Set<Feed>()
  /** All connections, including one being made, with their tokens. */
  readonly #connections = new Map<HasuraConnection, string>()
  #current: HasuraConnection | undefined
  #opening: HasuraConnection | undefined
  /** Counts attempts; results of an earlier one are ignored. */
  #try = 0
  #cancelRetry: (() => void) | undefined
  #failures = 0
  #hasBeenRefused = false

  constructor(options: RoleLinkOptions) {
    this.#options = options
  }

  get isUnused(): boolean {
    return this.#feeds.size === 0
  }

  /** Adds a feed; subscribes it at once if a connection is ready. */
  add(feed: Feed): void {
    const isFirst = this.isUnused
    this.#feeds.add(feed)
    if (this.#current) feed.moveTo(this.#current)
    else if (isFirst) void this.#connect()
  }

  /** Removes a feed; after the last one, closes the connections. */
  remove(feed: Feed): void {
    this.#feeds.delete(feed)
    if (!this.isUnused) return
    this.#try += 1
    this.#cancelRetry?.()
    this.#current = undefined
    this.#opening = undefined
    for (const connection of this.#connections.keys()) connection.close()
    this.#connections.clear()
  }

  /** Call this when there is a new token: a connection with that token takes over. */
  renew(): void {
    if (!this.isUnused) void this.#connect()
  }

  /** Makes one attempt with the current token; never rejects. */
  async #connect(): Promise<void> {
    const current = this.#begin()
    try {
      const token = await this.#options.tokens.getToken()
      if (current !== this.#try) return
      const newest = this.#opening ?? this.#current
      if (newest === undefined || this.#connections.get(newest) !== token) this.#open(token)
    } catch (error) {
      if (current === this.#try) this.#fail(error)
    }
  }

  /** Starts a new attempt: results of earlier ones are ignored from now on. */
  #begin(): number {
    this.#try += 1
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    return this.#try
  }

  #open(token: string): void {
    const { open, clock, headersFor } = this.#options
    this.#drop(this.#opening)
    const connection = new HasuraConnection({
      open,
      clock,
      init: initMessage(headersFor(token)),
      onReady: () => this.#onReady(connection),
      onClosed: (code, fault) => this.#onClosed(connection, token, code, fault),
      onIdle: () => {
        if (connection !== this.#current) this.#drop(connection)
      }
    })
    this.#opening = connection
    this.#connections.set(connection, token)
  }

  #onReady(connection: HasuraConnection): void {
    const previous = this.#current
    this.#current = connection
    this.#opening = undefined
    this.#failures = 0
    this.#hasBeenRefused = false
    for (const feed of [...this.#feeds]) feed.moveTo(connection)
    if (previous?.isIdle) this.#drop(previous)
  }

  #onClosed(connection: HasuraConnection, token: string, code: number, fault: string | undefined): void {
    const wasReady = connection !== this.#opening
    const isNewest = connection === (this.#opening ?? this.#current)
    const isRefusal = !wasReady && REFUSED.includes(code)
    this.#connections.delete(connection)
    if (connection === this.#current) this.#current = undefined
    if (connection === this.#opening) this.#opening = undefined
    this.#options.onConnectionEnd({ code, fault, isRefusal })
    for (const feed of [...this.#feeds]) feed.onLost(connection)
    if (this.isUnused || !isNewest) return
    if (isRefusal) void this.#replace(token)
    else this.#fail(new GatewayError('UPSTREAM_UNREACHABLE'))
  }

  /** Tries once more with another token, like any request whose token was refused; never rejects. */
  async #replace(refused: string): Promise<void> {
    const current = this.#begin()
    try {
      const isSecond = this.#hasBeenRefused
      this.#hasBeenRefused = true
      const renewed = isSecond ? undefined : await this.#options.tokens.rejectToken(refused)
      if (current !== this.#try) return
      if (renewed === undefined) throw new GatewayError('UPSTREAM_REJECTED_TOKEN')
      this.#open(renewed)
    } catch (error) {
      if (current === this.#try) this.#fail(error)
    }
  }

  #fail(cause: unknown): void {
    const error = cause instanceof GatewayError ? cause : new GatewayError('UPSTREAM_UNREACHABLE', { cause })
    // If an older connection still serves the feeds, the failure does not concern them.
    if (this.#current === undefined) for (const feed of [...this.#feeds]) feed.onFailure(error)
    if (this.isUnused) return
    this.#cancelRetry?.()
    this.#failures += 1
    const delayMs = retryDelayMs(this.#failures, this.#options.random(), this.#options.timeoutMs)
    this.#cancelRetry = this.#options.clock.setTimer(() => {
      this.#hasBeenRefused = false
      void this.#connect()
    }, delayMs)
  }

  #drop(connection: HasuraConnection | undefined): void {
    if (connection === undefined) return
    this.#connections.delete(connection)
    connection.close()
  }
}
