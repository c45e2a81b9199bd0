// Waits for the answer to one request: returns a small answer whole and a large one as a stream.
import type { Readable } from 'node:stream'
import type { AnswerHead } from './answer-head.ts'
import { AnswerStream } from './answer-stream.ts'
import { AttemptError, type AttemptPhase } from './attempt-error.ts'
import type { Connection, Exchange } from './connection.ts'

/** An answer of up to this many bytes is held until it is complete, so that it can be inspected, and its request retried. */
export const HOLD_MAX_BYTES = 65_536
/** The minimum size of {@link Answer.head} for a larger answer, in bytes. */
const HEAD_MIN_BYTES = 32_768

/** One request. */
export type HttpRequest = {
  /** Header fields from `writeFields`, without `host` and `content-length`. */
  fields: string
  body: string
  /** Time limit for the whole answer or its first 64 KiB, in ms. */
  timeoutMs: number
  /** The longest pause of the other side after the first 64 KiB, while the reader wants more, in ms; default `timeoutMs`. */
  pauseMaxMs?: number
  /** Cancels the request; once the answer streams, destroy the stream instead. */
  signal: AbortSignal
}

/** An answer. Header names are in lower case, with the first value of each. */
export type Answer = {
  status: number
  headers: ReadonlyMap<string, string>
  /** The whole body or, if there is a stream, its first 32 KiB or more. */
  head: Buffer
  /** The whole body, including `head`, if it is larger than 64 KiB. It must be read or destroyed. */
  stream?: Readable
}

/** Settles the promise of an answer. A {@link PendingAnswer} calls one of the two, once. */
type Settle = { resolve(answer: Answer): void; reject(error: AttemptError): void }

/** A request whose answer has not arrived completely. */
export class PendingAnswer implements Exchange {
  readonly head: string
  readonly body: string
  isOver = false
  readonly #pauseMaxMs: number
  readonly #signal: AbortSignal
  readonly #settle: Settle
  #timer: NodeJS.Timeout
  #connection: Connection | undefined
  #phase: AttemptPhase = 'unsent'
  #answer: Answer | undefined
  #chunks: Buffer[] = []
  #size = 0
  #stream: AnswerStream | undefined

  constructor(head: string, { body, timeoutMs, pauseMaxMs = timeoutMs, signal }: HttpRequest, settle: Settle) {
    this.head = head
    this.body = body
    this.#pauseMaxMs = pauseMaxMs
    this.#signal = signal
    this.#settle = settle
    this.#timer = this.#startTimer(timeoutMs)
    signal.addEventListener('abort', this)
  }

  /** Listens to the signal (DOM, `EventListenerObject`). */
  handleEvent(): void {
    this.#abort('cancelled')
  }

  onSent(connection: Connection): void {
    this.#connection = connection
    this.#phase = 'sent'
  }

  onHead({ status, headers }: AnswerHead): void {
    this.#phase = 'answered'
    this.#answer = { status, headers, head: EMPTY }
  }

  onData(bytes: Buffer): void {
    if (this.#stream) {
      if (this.#stream.deliver(bytes)) this.#timer.refresh()
      else this.#pause()
      return
    }
    this.#size += bytes.length
    this.#chunks.push(Buffer.from(bytes))
    if (this.#size > HOLD_MAX_BYTES) this.#beginStream()
  }

  onEnd(): void {
    this.#finish()
    if (this.#stream) this.#stream.finish()
    else if (this.#answer) this.#settle.resolve({ ...this.#answer, head: this.#held() })
  }

  onError(cause: Error): void {
    if (!this.isOver) this.#fail(new AttemptError(this.#phase, 'broken', cause))
  }

  #startTimer(timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#abort('timeout'), timeoutMs)
  }

  #held(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] ?? EMPTY) : Buffer.concat(this.#chunks)
  }

  #beginStream(): void {
    const chunks = this.#chunks
    this.#chunks = []
    // If the first piece is large enough, joining the pieces would only copy it.
    const first = chunks[0] ?? EMPTY
    const head = first.length >= HEAD_MIN_BYTES ? first : Buffer.concat(chunks)
    this.#signal.removeEventListener('abort', this)
    this.#stream = new AnswerStream({ onWanted: () => this.#resume(), onClosed: () => this.#onStreamClosed() }, chunks)
    this.#pause()
    if (this.#answer) this.#settle.resolve({ ...this.#answer, head, stream: this.#stream })
  }

  #onStreamClosed(): void {
    // After the end of the answer, the connection may serve another request.
    if (!this.isOver) this.#connection?.abort()
    this.#finish()
  }

  #pause(): void {
    clearTimeout(this.#timer)
    this.#connection?.pause()
  }

  #resume(): void {
    if (this.isOver || !this.#connection?.isPaused) return
    this.#timer = this.#startTimer(this.#pauseMaxMs)
    this.#connection.resume()
  }

  #abort(reason: 'timeout' | 'cancelled'): void {
    this.#connection?.abort()
    this.#fail(new AttemptError(this.#phase, reason))
  }

  #fail(error: AttemptError): void {
    this.#finish()
    if (this.#stream) this.#stream.destroy(error)
    else this.#settle.reject(error)
  }

  #finish(): void {
    this.isOver = true
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this)
  }
}

const EMPTY = Buffer.alloc(0)
