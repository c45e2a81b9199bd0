// The base of live queries and streaming subscriptions: delivers answers to readers, across any number of connections to Hasura.
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { AnswerListener, HasuraConnection } from './hasura-connection.ts'
import { type Answer, type Ending, Reader } from './reader.ts'

/** A subscription that has lasted this long, in ms, counts as a success even without an answer. */
const STABLE_MS = 5_000

/** Options of every feed. */
export type FeedOptions = {
  clock: Clock
  /** How long the feed may be without success before it fails, in ms; a subscription that breaks before its first answer is no success. */
  timeoutMs: number
  /** Called when the feed has ended or its last reader has left. */
  onEnd: () => void
}

/** What live queries and streaming subscriptions share: readers, the deadline without success, and the end. */
export abstract class Feed {
  readonly readers = new Set<Reader>()
  readonly #options: FeedOptions
  readonly #keepsAll: boolean
  #isOver = false
  /** Since when the feed has been without success. */
  #waitingSinceMs: number | undefined
  /** Since when the feed has been subscribed, on any connection. */
  #subscribedAtMs: number | undefined
  #hasBeenSubscribed = false
  #cancelDeadline: () => void = () => {}
  #lastFailure: GatewayError | undefined

  constructor(options: FeedOptions, keepsAll: boolean) {
    this.#options = options
    this.#keepsAll = keepsAll
    this.#startWaiting()
  }

  /** Adds a reader. */
  join(): Reader {
    const reader = new Reader(this.#keepsAll, gone => this.#onLeave(gone))
    this.readers.add(reader)
    return reader
  }

  /** Continues the feed on another connection, which must be ready. */
  abstract moveTo(connection: HasuraConnection): void

  /** Called when a connection has ended, and with it any subscription that the feed has there. */
  abstract onLost(connection: HasuraConnection): void

  /** Ends the feed's subscriptions at Hasura. */
  protected abstract release(): void

  /**
   * Called when connecting has failed. An error of the token ends a feed at once if it has never been subscribed; any other feed waits for
   * further attempts until its deadline.
   */
  onFailure(error: GatewayError): void {
    this.#lastFailure = error
    if (!this.#hasBeenSubscribed && error.code !== 'UPSTREAM_UNREACHABLE') this.end({ kind: 'error', error })
  }

  /** Ends every reader's stream. */
  end(ending: Ending): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelDeadline()
    this.release()
    for (const reader of this.readers) reader.end(ending)
    this.readers.clear()
    this.#options.onEnd()
  }

  /** Call this when the feed is subscribed: stops the deadline. */
  protected subscribed(): void {
    this.#hasBeenSubscribed = true
    this.#subscribedAtMs ??= this.#options.clock.nowMs()
    this.#cancelDeadline()
  }

  /** Call this when the feed is no longer subscribed anywhere: the deadline runs again. */
  protected unsubscribed(): void {
    if (this.#subscribedAtMs === undefined) return
    if (this.#options.clock.nowMs() - this.#subscribedAtMs >= STABLE_MS) this.answered()
    this.#subscribedAtMs = undefined
    this.#startWaiting()
  }

  /** Call this after an answer: resets the deadline, which starts at the next break. */
  protected answered(): void {
    this.#waitingSinceMs = undefined
    this.#lastFailure = undefined
  }

  #startWaiting(): void {
    const { clock, timeoutMs } = this.#options
    this.#waitingSinceMs ??= clock.nowMs()
    this.#cancelDeadline = clock.setTimer(
      () => this.end({ kind: 'error', error: this.#lastFailure ?? new GatewayError('UPSTREAM_UNREACHABLE') }),
      Math.max(0, this.#waitingSinceMs + timeoutMs - clock.nowMs())
    )
  }

  /** Passes an answer to every reader. */
  protected deliver(answer: Answer): void {
    for (const reader of this.readers) reader.put(answer)
  }

  /** Returns the listener for a subscription at Hasura: handles everything except `onNext`. */
  protected listener(onNext: (text: string) => void): AnswerListener {
    return {
      onNext,
      onError: errors => {
        this.deliver({ kind: 'answer', text: `{"errors":${errors}}` })
        this.end({ kind: 'complete' })
      },
      onFault: error => this.end({ kind: 'error', error }),
      onComplete: () => this.end({ kind: 'complete' })
    }
  }

  #onLeave(reader: Reader): void {
    this.readers.delete(reader)
    if (this.readers.size === 0) this.end({ kind: 'break' })
  }
}
