// A streaming subscription: one reader, every row once and in order, whatever happens to the connections.
import { Feed, type FeedOptions } from './feed.ts'
import type { HasuraConnection, UpstreamSubscription } from './hasura-connection.ts'
import type { LastRow, StreamPlan } from './stream-cursor.ts'
import { payloadOf, type SubscriptionRequest } from './subscription-request.ts'

/** Goes on behind the last row on each new connection. Both at once would give rows twice, so the old one is ended first. */
export class StreamFeed extends Feed {
  readonly #request: SubscriptionRequest
  readonly #plan: StreamPlan
  #open: UpstreamSubscription | undefined
  #lastRow: LastRow | undefined
  #hasAnswered = false

  constructor(options: FeedOptions, request: SubscriptionRequest, plan: StreamPlan) {
    super(options, true)
    this.#request = request
    this.#plan = plan
  }

  moveTo(connection: HasuraConnection): void {
    const request = this.#nextRequest()
    // It can't be taken up elsewhere, so it stays where it is for as long as that lasts.
    if (request === undefined) return
    this.#open?.end()
    this.#open = connection.subscribe(
      payloadOf(request),
      this.listener(text => this.#onAnswer(text))
    )
    this.subscribed()
  }

  onLost(connection: HasuraConnection): void {
    if (this.#open?.connection !== connection) return
    this.#open = undefined
    if (this.#nextRequest() === undefined) this.end({ kind: 'break' })
    else this.unsubscribed()
  }

  protected release(): void {
    this.#open?.end()
  }

  #nextRequest(): SubscriptionRequest | undefined {
    return this.#lastRow === undefined ? this.#request : this.#plan.requestBehind(this.#lastRow)
  }

  #onAnswer(text: string): void {
    const { lastRow, isEmpty } = this.#plan.read(text)
    // The first answer on a new connection may hold no rows, which tells the reader nothing.
    if (isEmpty && this.#hasAnswered) return
    this.#lastRow = lastRow ?? this.#lastRow
    this.#hasAnswered = true
    this.answered()
    this.deliver({ kind: 'answer', text })
  }
}
