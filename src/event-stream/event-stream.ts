// Writes one caller's event stream: answers at the caller's pace, regular comments, and an end if the caller stalls or loses its rights.
import type { Clock } from '../clock.ts'
import { errorBody, type GatewayError } from '../errors.ts'
import type { Answer, Ending, Reader } from '../subscriptions/reader.ts'
import { COMMENT, COMPLETE_EVENT, nextEvent } from './events.ts'

/** How often a comment is sent, in ms. */
const COMMENT_INTERVAL_MS = 15_000
/** How often the caller's rights and reading progress are checked, in ms. */
const LOOK_INTERVAL_MS = 5_000
/** How long a caller may read nothing while data waits for it, in ms; noticed within another {@link LOOK_INTERVAL_MS}. */
const STALL_MAX_MS = 60_000

/** How long a caller may take to read the rest when its stream is broken off, in ms; bounded so as not to delay a shutdown. */
const BREAK_MAX_MS = 5_000
/** How many bytes may wait in the process for the kernel. Beyond that the caller is slow, and the next answer it gets is the latest. */
export const UNSENT_MAX_BYTES = 65_536

/** The caller's connection, to which events are written. */
export type EventSink = {
  /** Writes an event; calls `onTaken` once the kernel has taken all of it. */
  write(event: string | Buffer, onTaken: () => void): void
  /** Ends the answer after everything written so far. */
  end(): void
  /** Destroys the connection, unless the kernel has taken the whole answer. */
  cut(): void
  /** A number that grows as the caller reads. */
  progress(): number
}

/** Options of {@link EventStream}. */
type EventStreamOptions = {
  reader: Reader
  sink: EventSink
  clock: Clock
  /** The request id in the errors that the stream reports. */
  requestId: string
  /** Returns why the stream must end now, for example because the caller has lost its rights; undefined if it goes on. Never rejects. */
  check: () => Promise<Ending | undefined>
  /** Called with the error that ends the stream. */
  onError: (error: GatewayError) => void
}

/**
 * Runs from `start` until its reader ends or `close` is called. It stops writing while {@link UNSENT_MAX_BYTES} are unsent, so that a slow
 * caller's next answer is the latest one.
 */
export class EventStream {
  /** Answers sent so far. */
  events = 0
  readonly #options: EventStreamOptions
  #unsentBytes = 0
  #isOver = false
  #cancelTimer: () => void = () => {}
  #quietMs = 0
  #stalledMs = 0
  #progress = 0

  constructor(options: EventStreamOptions) {
    this.#options = options
  }

  /** Starts reading. */
  start(): void {
    this.#options.reader.onReady = () => this.#pump()
    this.#lookLater()
    this.#pump()
  }

  /** Call this when the caller has left or has read the end. */
  close(): void {
    this.#cancelTimer()
    if (this.#isOver) return
    this.#finish()
    this.#options.reader.leave()
  }

  #pump(): void {
    const { reader, sink } = this.#options
    if (this.#isOver) return
    // A caller this far behind would have to read everything else before it saw the end.
    if (reader.isCut) {
      this.#finish()
      sink.cut()
      return
    }
    if (reader.isBroken) {
      this.#end({ kind: 'break' })
      return
    }
    while (this.#unsentBytes < UNSENT_MAX_BYTES && !this.#isOver) {
      const item = reader.take()
      if (item === undefined) return
      if (item.kind !== 'answer') this.#end(item)
      else {
        this.events += 1
        this.#quietMs = 0
        this.#send(eventOf(item))
      }
    }
  }

  #send(event: string | Buffer): void {
    this.#unsentBytes += event.length
    this.#options.sink.write(event, () => {
      this.#unsentBytes -= event.length
      this.#stalledMs = 0
      this.#pump()
    })
  }

  #end(ending: Ending): void {
    const { sink, clock, requestId, onError } = this.#options
    this.#finish()
    if (ending.kind === 'error') {
      onError(ending.error)
      this.events += 1
      sink.write(nextEvent(errorBody(ending.error, requestId)), () => {})
    }
    if (ending.kind !== 'break') sink.write(COMPLETE_EVENT, () => {})
    sink.end()
    this.#cancelTimer = clock.setTimer(() => sink.cut(), ending.kind === 'break' ? BREAK_MAX_MS : STALL_MAX_MS)
  }

  #lookLater(): void {
    this.#cancelTimer = this.#options.clock.setTimer(() => void this.#look(), LOOK_INTERVAL_MS)
  }

  async #look(): Promise<void> {
    if (this.#isStalled()) {
      this.close()
      this.#options.sink.cut()
      return
    }
    this.#quietMs += LOOK_INTERVAL_MS
    if (this.#quietMs >= COMMENT_INTERVAL_MS && this.#unsentBytes === 0) {
      this.#quietMs = 0
      this.#send(COMMENT)
    }
    const ending = await this.#options.check()
    if (this.#isOver) return
    if (ending === undefined) this.#lookLater()
    else {
      this.#end(ending)
      this.#options.reader.leave()
    }
  }

  #isStalled(): boolean {
    const progress = this.#options.sink.progress()
    this.#stalledMs = this.#unsentBytes > 0 && progress === this.#progress ? this.#stalledMs + LOOK_INTERVAL_MS : 0
    this.#progress = progress
    return this.#stalledMs >= STALL_MAX_MS
  }

  #finish(): void {
    this.#isOver = true
    this.#cancelTimer()
    this.#options.reader.onReady = () => {}
  }
}

/** The bytes of each answer's event, made once for all its readers. */
const bytes = new WeakMap<Answer, Buffer>()

function eventOf(answer: Answer): Buffer {
  let event = bytes.get(answer)
  if (event === undefined) {
    event = Buffer.from(nextEvent(answer.text))
    bytes.set(answer, event)
  }
  return event
}
