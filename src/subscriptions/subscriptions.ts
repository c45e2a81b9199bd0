// Manages all subscriptions of the service: equal ones share one subscription at Hasura, and each role has its own connection.
import { type Clock, systemClock } from '../clock.ts'
import type { Feed } from './feed.ts'
import { LiveFeed } from './live-feed.ts'
import type { Reader } from './reader.ts'
import { RoleLink, type RoleLinkOptions, type TokenSource } from './role-link.ts'
import { planStream, type StreamPlan } from './stream-cursor.ts'
import { StreamFeed } from './stream-feed.ts'
import { keyOf, payloadOf, type SubscriptionRequest } from './subscription-request.ts'
import type { OpenTransport } from './transport.ts'

/** Options of {@link Subscriptions}. */
type SubscriptionsOptions = {
  /** Opens a connection to Hasura. */
  open: OpenTransport
  tokens: TokenSource
  /** Returns the header that carries a token. */
  tokenHeadersFor: RoleLinkOptions['headersFor']
  /** How long a subscription may be without success before it ends with an error, in ms. */
  timeoutMs: number
  /** Called for each connection that ended by itself. */
  onConnectionEnd: RoleLinkOptions['onConnectionEnd']
  /** Default: this machine's clock. */
  clock?: Clock
  /** Numbers from 0 up to 1; default Math.random. */
  random?: () => number
}

/**
 * Reads live queries and streaming subscriptions from Hasura (graphql-transport-ws) for any number of readers. A reader's stream may end
 * with `UPSTREAM_UNREACHABLE`, `UPSTREAM_REJECTED_TOKEN`, `TOKEN_UNAVAILABLE` or `UPSTREAM_INVALID_RESPONSE`.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #clock: Clock
  /** Live queries by key. */
  readonly #shared = new Map<string, LiveFeed>()
  readonly #feeds = new Set<Feed>()
  readonly #links = new Map<string | undefined, RoleLink>()

  constructor(options: SubscriptionsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** The number of subscriptions at Hasura, including those that wait for a connection. */
  get count(): number {
    return this.#feeds.size
  }

  /** Returns a reader of a subscription; an equal live query is shared. */
  subscribe(request: SubscriptionRequest): Reader {
    const key = keyOf(request)
    const shared = this.#shared.get(key)
    if (shared) return shared.join()
    const plan = planStream(request)
    const feed: Feed = plan ? this.#streamFeed(request, plan) : this.#liveFeed(request, key)
    const reader = feed.join()
    this.#feeds.add(feed)
    this.#linkOf(request.role).add(feed)
    return reader
  }

  /** Call this when there is a new token: connections with that token take over. */
  renew(): void {
    for (const link of this.#links.values()) link.renew()
  }

  /** Breaks off every stream at once, without `complete`, and closes every connection. */
  close(): void {
    for (const feed of [...this.#feeds]) feed.end({ kind: 'break' })
  }

  #streamFeed(request: SubscriptionRequest, plan: StreamPlan): StreamFeed {
    const feed: StreamFeed = new StreamFeed({ ...this.#timing(), onEnd: () => this.#forget(feed, request) }, request, plan)
    return feed
  }

  #liveFeed(request: SubscriptionRequest, key: string): LiveFeed {
    const onEnd = () => {
      this.#shared.delete(key)
      this.#forget(feed, request)
    }
    const feed: LiveFeed = new LiveFeed({ ...this.#timing(), onEnd }, payloadOf(request))
    this.#shared.set(key, feed)
    return feed
  }

  #timing() {
    return { clock: this.#clock, timeoutMs: this.#options.timeoutMs }
  }

  #forget(feed: Feed, { role }: SubscriptionRequest): void {
    this.#feeds.delete(feed)
    const link = this.#links.get(role)
    link?.remove(feed)
    if (link?.isUnused) this.#links.delete(role)
  }

  #linkOf(role: string | undefined): RoleLink {
    let link = this.#links.get(role)
    if (link === undefined) {
      const { open, tokens, tokenHeadersFor, timeoutMs, random = Math.random, onConnectionEnd } = this.#options
      // Hasura applies the headers of `connection_init` to every request on the connection.
      const headersFor = (token: string) => ({ ...tokenHeadersFor(token), ...(role !== undefined && { 'x-hasura-role': role }) })
      link = new RoleLink({ open, tokens, timeoutMs, clock: this.#clock, random, headersFor, onConnectionEnd })
      this.#links.set(role, link)
    }
    return link
  }
}
