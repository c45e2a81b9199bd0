// One subscription as its readers see it, which lives on while connections to Hasura come and go.
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { AnswerListener, HasuraConnection } from './hasura-connection.ts'
import { type Answer, type Ending, Reader } from './reader.ts'

/** A subscription that has lasted so long, in ms, is taken for a success even if there has been nothing to answer. */
export const STABLE_MS = 5_000

/** What every feed works with. */
export type FeedOptions = {
  clock: Clock
  /** How long the feed may be without success before it fails, in ms; a subscription that breaks before its first answer is none. */
  timeoutMs: number
  /** Told when the feed has ended, or its last reader has left. */
  onEnd: () => void
}

/** What live queries and streaming subscriptions have in common: readers, the time without success, and the end. */
export abstract class Feed {
  readonly readers = new Set<Reader>()
  readonly #options: FeedOptions
  readonly #keepsAll: boolean
  #isOver = false
  /** Since when there has been no success. */
  #waitingSinceMs: number | undefined
  /** Since when it has been subscribed, on one connection or another. */
  #subscribedAtMs: number | undefined
  #hasBeenSubscribed = false
  #cancelDeadline: () => void = () => {}
  #lastFailure: GatewayError | undefined

  constructor(options: FeedOptions, keepsAll: boolean) {
    this.#options = options
    this.#keepsAll = keepsAll
    this.#startWaiting()
  }

  /** A new reader. */
  join(): Reader {
    const reader = new Reader(this.#keepsAll, gone => this.#onLeave(gone))
    this.readers.add(reader)
    return reader
  }

  /** Goes on on a connection that is ready. */
  abstract moveTo(connection: HasuraConnection): void

  /** What it had on that connection is lost. */
  abstract onLost(connection: HasuraConnection): void

  /** Ends whatever is open at Hasura. */
  protected abstract release(): void

  /**
   * There is no connection for this reason. A fault of the token ends a feed that has not been subscribed yet at once; one that has been
   * lives in the hope of a better try until its time is up.
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

  /** It is subscribed on a connection that is ready: time stands still. */
  protected subscribed(): void {
    this.#hasBeenSubscribed = true
    this.#subscribedAtMs ??= this.#options.clock.nowMs()
    this.#cancelDeadline()
  }

  /** It is subscribed nowhere any more: time runs on. */
  protected unsubscribed(): void {
    if (this.#subscribedAtMs === undefined) return
    if (this.#options.clock.nowMs() - this.#subscribedAtMs >= STABLE_MS) this.answered()
    this.#subscribedAtMs = undefined
    this.#startWaiting()
  }

  /** There has been an answer: time runs anew from the next break on. */
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

  /** Passes an answer on to every reader. */
  protected deliver(answer: Answer): void {
    for (const reader of this.readers) reader.put(answer)
  }

  /** What comes of a subscription at Hasura, `onNext` aside, whichever connection it is on. */
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
