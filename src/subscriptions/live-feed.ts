// A live query, shared by any number of readers, each of which gets the latest answer.
import { Feed, type FeedOptions } from './feed.ts'
import type { HasuraConnection, UpstreamSubscription } from './hasura-connection.ts'
import type { Answer, Reader } from './reader.ts'

/** During a hand-over, the feed is subscribed on two connections; the old subscription ends when the new one has answered. */
export class LiveFeed extends Feed {
  readonly #payload: string
  #latest: Answer | undefined
  #open: UpstreamSubscription | undefined
  /** The subscription on a newer connection, before its first answer. */
  #next: UpstreamSubscription | undefined

  /** @param payload the payload of the message `subscribe` */
  constructor(options: FeedOptions, payload: string) {
    super(options, false)
    this.#payload = payload
  }

  override join(): Reader {
    const reader = super.join()
    if (this.#latest) reader.put(this.#latest)
    return reader
  }

  moveTo(connection: HasuraConnection): void {
    this.#next?.end()
    this.subscribed()
    const next = connection.subscribe(
      this.#payload,
      this.listener(text => {
        if (next === this.#next) this.#takeOver(next)
        this.#onAnswer(text)
      })
    )
    this.#next = next
  }

  onLost(connection: HasuraConnection): void {
    if (this.#next?.connection === connection) this.#next = undefined
    if (this.#open?.connection === connection) this.#open = undefined
    if (this.#open === undefined && this.#next === undefined) this.unsubscribed()
  }

  protected release(): void {
    this.#next?.end()
    this.#open?.end()
  }

  #takeOver(next: UpstreamSubscription): void {
    this.#open?.end()
    this.#open = next
    this.#next = undefined
    this.answered()
  }

  #onAnswer(text: string): void {
    if (text === this.#latest?.text) return
    this.#latest = { kind: 'answer', text }
    this.deliver(this.#latest)
  }
}
