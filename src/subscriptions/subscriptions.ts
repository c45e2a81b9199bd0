// All subscriptions of the service: equal ones share one at Hasura, and each role has its way there.
import { type Clock, systemClock } from '../clock.ts'
import type { Feed } from './feed.ts'
import { LiveFeed } from './live-feed.ts'
import type { Reader } from './reader.ts'
import { RoleLink, type RoleLinkOptions, type TokenSource } from './role-link.ts'
import { planStream, type StreamPlan } from './stream-cursor.ts'
import { StreamFeed } from './stream-feed.ts'
import { keyOf, payloadOf, type SubscriptionRequest } from './subscription-request.ts'
import type { OpenTransport } from './transport.ts'

/** What subscriptions are made with. */
export type SubscriptionsOptions = {
  /** Begins a connection to Hasura. */
  open: OpenTransport
  tokens: TokenSource
  /** `Authorization` sends `Bearer <jwt>`; any other header carries the bare JWT. */
  tokenHeader: string
  /** How long a subscription may be without success before its readers are told, in ms. */
  timeoutMs: number
  /** Told of each connection that ended by itself. */
  onConnectionEnd?: RoleLinkOptions['onConnectionEnd']
  /** Default: this machine's clock. */
  clock?: Clock
  /** Numbers from 0 up to 1; default Math.random. */
  random?: () => number
}

/**
 * Reads live queries and streaming subscriptions from Hasura (graphql-transport-ws) for any number of readers. What a reader is told in the
 * end: `UPSTREAM_UNREACHABLE`, `UPSTREAM_REJECTED_TOKEN`, `TOKEN_UNAVAILABLE`, `UPSTREAM_INVALID_RESPONSE`.
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

  /** Subscriptions that are wanted of Hasura. */
  get count(): number {
    return this.#feeds.size
  }

  /** A reader of what was asked for; of the same live query as others, if there are any. */
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

  /** There is a new token: connections with it take over from those with the old one. */
  renew(): void {
    for (const link of this.#links.values()) link.renew()
  }

  /** Ends every stream at once, without a word, and closes every connection. */
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
      const { open, tokens, tokenHeader, timeoutMs, random = Math.random, onConnectionEnd = () => {} } = this.#options
      const headersFor = headersOf(tokenHeader, role)
      link = new RoleLink({ open, tokens, timeoutMs, clock: this.#clock, random, headersFor, onConnectionEnd })
      this.#links.set(role, link)
    }
    return link
  }
}

/** The headers of `connection_init`, which Hasura takes for those of every request on the connection. */
function headersOf(tokenHeader: string, role: string | undefined) {
  const isBearer = tokenHeader.toLowerCase() === 'authorization'
  return (token: string): Readonly<Record<string, string>> => ({
    [tokenHeader]: isBearer ? `Bearer ${token}` : token,
    ...(role !== undefined && { 'x-hasura-role': role })
  })
}
