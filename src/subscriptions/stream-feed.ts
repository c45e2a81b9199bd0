// A streaming subscription: delivers every row to one reader, once and in order, across any number of connections.
import { Feed, type FeedOptions } from './feed.ts'
import type { HasuraConnection, UpstreamSubscription } from './hasura-connection.ts'
import type { LastRow, StreamPlan } from './stream-cursor.ts'
import { payloadOf, type SubscriptionRequest } from './subscription-request.ts'

/** Resumes after the last row on each new connection. Ends the old subscription first, since two at once would deliver rows twice. */
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
    // The stream cannot be resumed, so it stays on the old connection for as long as that lasts.
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
    // The first answer on a new connection may have no rows, which the reader need not see.
    if (isEmpty && this.#hasAnswered) return
    this.#lastRow = lastRow ?? this.#lastRow
    this.#hasAnswered = true
    this.answered()
    this.deliver({ kind: 'answer', text })
  }
}
