// One request to Hasura and its answer: a small one whole, a large one as a stream that never runs ahead of its reader.
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { noteStreamed } from './read-buffers.ts'

/** Up to so many bytes an answer is held back until it is whole, so that it can still be judged, retried or refused. */
export const HOLD_MAX_BYTES = 65_536

/** From so many bytes on a stream's buffers are collected as they go through. */
const LONG_STREAM_BYTES = 1024 * 1024
/** As much of a larger answer is enough to judge it by. */
const HEAD_MIN_BYTES = 32_768

/** An answer as Hasura gave it; header names are in lower case. */
export type UpstreamAnswer = {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
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
 * @param timeoutMs for the answer's end or its first 64 KiB; after these, for each pause of Hasura while the reader wants more
 * @throws {AttemptError}
 */
export function attempt(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  timeoutMs: number,
  cancellation: Cancellation
): Promise<UpstreamAnswer> {
  if (cancellation.isCancelled) return Promise.reject(new AttemptError('unsent', 'cancelled'))
  return new Promise((resolve, reject) => {
    const handler = new AttemptHandler(timeoutMs, cancellation, resolve, reject)
    dispatcher.dispatch(options, handler)
  })
}

class AttemptHandler implements Dispatcher.DispatchHandler {
  readonly #timeoutMs: number
  readonly #cancellation: Cancellation
  readonly #resolve: (answer: UpstreamAnswer) => void
  readonly #reject: (error: AttemptError) => void
  #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #phase: AttemptPhase = 'unsent'
  #failure: AttemptError | undefined
  #answer: UpstreamAnswer | undefined
  #chunks: Buffer[] = []
  #size = 0
  #stream: Readable | undefined

  constructor(
    timeoutMs: number,
    cancellation: Cancellation,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (error: AttemptError) => void
  ) {
    this.#timeoutMs = timeoutMs
    this.#cancellation = cancellation
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = this.#startTimer()
    cancellation.listen(() => this.#fail('cancelled'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#failure) controller.abort(this.#failure)
    else this.#phase = 'sent'
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: UpstreamAnswer['headers']): void {
    if (status < 200) return
    this.#phase = 'answered'
    this.#answer = { status, headers, head: EMPTY }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#stream) {
      // A short stream's buffers are collected soon enough with all else.
      if (this.#size > LONG_STREAM_BYTES) noteStreamed(chunk.length)
      if (this.#stream.push(chunk)) this.#timer.refresh()
      else this.#pause(controller)
      return
    }
    this.#chunks.push(chunk)
    if (this.#size > HOLD_MAX_BYTES) this.#beginStream(controller)
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
    this.#cancellation.listen(undefined)
    if (this.#stream) this.#stream.push(null)
    else if (this.#answer) {
      this.#answer.head = this.#held()
      this.#resolve(this.#answer)
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, cause: Error): void {
    this.#settle(this.#failure ?? new AttemptError(this.#phase, 'broken', cause))
  }

  #startTimer(): NodeJS.Timeout {
    return setTimeout(() => this.#fail('timeout'), this.#timeoutMs)
  }

  #held(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
  }

  #beginStream(controller: Dispatcher.DispatchController): void {
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
        this.#controller?.abort(error ?? new AttemptError('answered', 'cancelled'))
        done(error)
      }
    })
    for (const chunk of chunks) this.#stream.push(chunk)
    this.#pause(controller)
    if (this.#answer) this.#resolve({ ...this.#answer, head, stream: this.#stream })
  }

  #pause(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#timer)
    controller.pause()
  }

  #resume(): void {
    if (!this.#controller?.paused) return
    this.#timer = this.#startTimer()
    this.#controller.resume()
  }

  #fail(reason: 'timeout' | 'cancelled'): void {
    this.#failure = new AttemptError(this.#phase, reason)
    this.#controller?.abort(this.#failure)
    this.#settle(this.#failure)
  }

  #settle(error: AttemptError): void {
    clearTimeout(this.#timer)
    this.#cancellation.listen(undefined)
    if (this.#stream) this.#stream.destroy(error)
    else this.#reject(error)
  }
}

const EMPTY = Buffer.alloc(0)
