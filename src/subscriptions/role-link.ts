// The way to Hasura for one role: one connection for each token, taken up again when it breaks, handed over when the token is renewed.
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Feed } from './feed.ts'
import { HasuraConnection } from './hasura-connection.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { OpenTransport } from './transport.ts'
import { initMessage } from './wire-message.ts'

/** Where the tokens come from: the token manager. */
export type TokenSource = {
  getToken(waitMs?: number): string | Promise<string>
  rejectToken(refused: string, waitMs?: number): Promise<string | undefined>
}

/** Close codes with which Hasura refuses a token: Forbidden, and Unauthorized. */
const REFUSED: readonly number[] = [4403, 4401]

/** How a connection ended, for an operator. */
export type ConnectionEnd = { code: number; fault: string | undefined; isRefusal: boolean }

/** What a link is made with. */
export type RoleLinkOptions = {
  open: OpenTransport
  tokens: TokenSource
  /** The headers of `connection_init` for a token. */
  headersFor: (token: string) => Readonly<Record<string, string>>
  /** How long a feed may be without success, in ms. */
  timeoutMs: number
  clock: Clock
  random: () => number
  onConnectionEnd: (end: ConnectionEnd) => void
}

/** Holds the feeds of one role on the newest connection there is; without feeds it holds none. */
export class RoleLink {
  readonly #options: RoleLinkOptions
  readonly #feeds = new Set<Feed>()
  /** Every connection that stands or is being made, with its token. */
  readonly #connections = new Map<HasuraConnection, string>()
  #current: HasuraConnection | undefined
  #opening: HasuraConnection | undefined
  /** Counts tries; what belongs to an earlier one is out of date. */
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

  /** Takes a feed on, at once where a connection is ready. */
  add(feed: Feed): void {
    const isFirst = this.isUnused
    this.#feeds.add(feed)
    if (this.#current) feed.moveTo(this.#current)
    else if (isFirst) void this.#connect()
  }

  /** Lets a feed go; with the last one the connections are closed. */
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

  /** There is a new token: a connection with it takes over. */
  renew(): void {
    if (!this.isUnused) void this.#connect()
  }

  /** One try with the token of the hour; never rejects. */
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

  /** Makes what is under way out of date. */
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

  /** Tries once more with another token, as every refused request does; never rejects. */
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
    // Where an older connection still serves the feeds, they have nothing to fear.
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
