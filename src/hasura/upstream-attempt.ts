// One request to Hasura and its answer: a small one whole, a large one as a stream that never runs ahead of its reader.
import { Readable } from 'node:stream'
import type { AnswerHead } from '../http1/answer-head.ts'
import type { Connection, Exchange } from '../http1/connection.ts'
import type { ConnectionPool } from '../http1/connection-pool.ts'
import { noteStreamed } from './read-buffers.ts'

/** Up to so many bytes an answer is held back until it is whole, so that it can still be judged, retried or refused. */
export const HOLD_MAX_BYTES = 65_536

/** From so many bytes on a stream's buffers are collected as they go through. */
const LONG_STREAM_BYTES = 1024 * 1024
/** As much of a larger answer is enough to judge it by. */
const HEAD_MIN_BYTES = 32_768

/** An answer as Hasura gave it; header names are in lower case, with the first value of each. */
export type UpstreamAnswer = {
  status: number
  headers: ReadonlyMap<string, string>
  /** The first bytes: all there are, or where a stream follows, 32 KiB or more. */
  head: Buffer
  /** The whole body, `head` included, where it is larger than that. */
  stream?: Readable
}

/** How far a request came before it failed: it was never sent; it was; its answer had begun. */
export type AttemptPhase = 'unsent' | 'sent' | 'answered'

/** Why an attempt gave no answer. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError'
  readonly phase: AttemptPhase
  readonly reason: 'broken' | 'timeout' | 'cancelled'

  constructor(phase: AttemptPhase, reason: AttemptError['reason'], cause?: unknown) {
    super(`${reason} while ${phase}`, { cause })
    this.phase = phase
    this.reason = reason
  }

  /** What went wrong, for an operator: how far it came, and the code of its cause or what that says. */
  get fault(): string {
    const { cause } = this
    if (!(cause instanceof Error)) return this.message
    return `${this.message}: ${'code' in cause ? cause.code : cause.message}`
  }
}

/** Tells a call that its caller has left. */
export class Cancellation {
  isCancelled = false
  #listener: (() => void) | undefined

  /** Ends whatever is under way; once. */
  cancel(): void {
    if (this.isCancelled) return
    this.isCancelled = true
    this.#listener?.()
  }

  /** Whom to tell; one listener at a time. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener
  }
}

/**
 * Sends one request.
 * @param head request line and header fields, each with its line break, without `content-length`
 * @param timeoutMs for the answer's end or its first 64 KiB; after these, for each pause of Hasura while the reader wants more
 * @throws {AttemptError}
 */
export function attempt(
  pool: ConnectionPool,
  head: string,
  body: string,
  timeoutMs: number,
  cancellation: Cancellation
): Promise<UpstreamAnswer> {
  if (cancellation.isCancelled) return Promise.reject(new AttemptError('unsent', 'cancelled'))
  return new Promise((resolve, reject) => pool.send(new Attempt(head, body, timeoutMs, cancellation, resolve, reject)))
}

class Attempt implements Exchange {
  readonly head: string
  readonly body: string
  isOver = false
  readonly #timeoutMs: number
  readonly #cancellation: Cancellation
  readonly #resolve: (answer: UpstreamAnswer) => void
  readonly #reject: (error: AttemptError) => void
  #timer: NodeJS.Timeout
  #connection: Connection | undefined
  #phase: AttemptPhase = 'unsent'
  #answer: UpstreamAnswer | undefined
  #chunks: Buffer[] = []
  #size = 0
  #stream: Readable | undefined

  constructor(
    head: string,
    body: string,
    timeoutMs: number,
    cancellation: Cancellation,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (error: AttemptError) => void
  ) {
    this.head = head
    this.body = body
    this.#timeoutMs = timeoutMs
    this.#cancellation = cancellation
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = this.#startTimer()
    cancellation.listen(() => this.#fail('cancelled'))
  }

  onSent(connection: Connection): void {
    this.#connection = connection
    this.#phase = 'sent'
  }

  onHead({ status, headers }: AnswerHead): void {
    this.#phase = 'answered'
    this.#answer = { status, headers, head: EMPTY }
  }

  onData(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#stream) {
      // A short stream's buffers are collected soon enough with all else.
      if (this.#size > LONG_STREAM_BYTES) noteStreamed(chunk.length)
      if (this.#stream.push(chunk)) this.#timer.refresh()
      else this.#pause()
      return
    }
    this.#chunks.push(chunk)
    if (this.#size > HOLD_MAX_BYTES) this.#beginStream()
  }

  onEnd(): void {
    this.isOver = true
    clearTimeout(this.#timer)
    this.#cancellation.listen(undefined)
    if (this.#stream) this.#stream.push(null)
    else if (this.#answer) {
      this.#answer.head = this.#held()
      this.#resolve(this.#answer)
    }
  }

  onError(cause: Error): void {
    if (!this.isOver) this.#settle(new AttemptError(this.#phase, 'broken', cause))
  }

  #startTimer(): NodeJS.Timeout {
    return setTimeout(() => this.#fail('timeout'), this.#timeoutMs)
  }

  #held(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
  }

  #beginStream(): void {
    const chunks = this.#chunks
    this.#chunks = []
    // Joining what was held would copy it, and one large chunk is enough to judge an answer by.
    const first = chunks[0] ?? EMPTY
    const head = first.length >= HEAD_MIN_BYTES ? first : Buffer.concat(chunks)
    this.#cancellation.listen(undefined)
    this.#stream = new Readable({
      highWaterMark: HOLD_MAX_BYTES,
      read: () => this.#resume(),
      destroy: (error, done) => {
        clearTimeout(this.#timer)
        // After its end the connection may be another's.
        if (!this.isOver) this.#connection?.abort()
        this.isOver = true
        done(error)
      }
    })
    for (const chunk of chunks) this.#stream.push(chunk)
    this.#pause()
    if (this.#answer) this.#resolve({ ...this.#answer, head, stream: this.#stream })
  }

  #pause(): void {
    clearTimeout(this.#timer)
    this.#connection?.pause()
  }

  #resume(): void {
    if (this.isOver || !this.#connection?.isPaused) return
    this.#timer = this.#startTimer()
    this.#connection.resume()
  }

  #fail(reason: 'timeout' | 'cancelled'): void {
    this.#connection?.abort()
    this.#settle(new AttemptError(this.#phase, reason))
  }

  #settle(error: AttemptError): void {
    this.isOver = true
    clearTimeout(this.#timer)
    this.#cancellation.listen(undefined)
    if (this.#stream) this.#stream.destroy(error)
    else this.#reject(error)
  }
}

const EMPTY = Buffer.alloc(0)
