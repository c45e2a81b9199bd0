// One caller's event stream: answers at the caller's pace, a comment now and then, and an end for whoever reads nothing or may no longer read.
import type { Clock } from '../clock.ts'
import { errorBody, type GatewayError } from '../errors.ts'
import type { Answer, Ending, Reader } from '../subscriptions/reader.ts'
import { COMMENT, COMPLETE_EVENT, nextEvent } from './events.ts'

/** How often a comment is sent, in ms. */
export const COMMENT_INTERVAL_MS = 15_000
/** How often rights and the caller's reading are looked at, in ms. */
export const LOOK_INTERVAL_MS = 5_000
/** How long a caller may read nothing while something waits for it, in ms; noticed within another {@link LOOK_INTERVAL_MS}. */
export const STALL_MAX_MS = 60_000

/** How long a caller may take to read what is left once its stream breaks, in ms: a stop of the service does not wait for it. */
export const BREAK_MAX_MS = 5_000
/** What may wait in the process to be taken by the kernel, in bytes; beyond it a caller is slow, and its next answer is the latest. */
export const UNSENT_MAX_BYTES = 65_536

/** Where events are written: the caller's connection. */
export type EventSink = {
  /** Writes; `onTaken` is called once the kernel has all of it, so that nothing more waits in the process. */
  write(event: string | Buffer, onTaken: () => void): void
  /** Ends the answer after what has been written. */
  end(): void
  /** Cuts the connection, unless the answer has been taken whole. */
  cut(): void
  /** A number that grows as the caller reads. */
  progress(): number
}

/** What a stream is made with. */
export type EventStreamOptions = {
  reader: Reader
  sink: EventSink
  clock: Clock
  /** Of the errors that the stream tells of. */
  requestId: string
  /** Why the stream must end before its reader's end, if it must: the caller's rights have ended, say; never rejects. */
  check: () => Promise<Ending | undefined>
  /** Told of the error that the stream ends with. */
  onError: (error: GatewayError) => void
}

/** Runs from `start` until its reader's end, or `close`. Little is on its way at a time, so that a slow caller's next answer is the latest. */
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

  /** Begins to read. */
  start(): void {
    this.#options.reader.onReady = () => this.#pump()
    this.#lookLater()
    this.#pump()
  }

  /** The caller has left, or has read the end. */
  close(): void {
    this.#cancelTimer()
    if (this.#isOver) return
    this.#finish()
    this.#options.reader.leave()
  }

  #pump(): void {
    const { reader, sink } = this.#options
    if (this.#isOver) return
    // Whoever is that far behind would not see the end before all else.
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
      if (item.kind === 'answer') this.#write(eventOf(item))
      else this.#end(item)
    }
  }

  #write(event: Buffer): void {
    this.events += 1
    this.#quietMs = 0
    this.#send(event)
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

/** The bytes of an answer's event, made once for all its readers. */
const bytes = new WeakMap<Answer, Buffer>()

function eventOf(answer: Answer): Buffer {
  let event = bytes.get(answer)
  if (event === undefined) {
    event = Buffer.from(nextEvent(answer.text))
    bytes.set(answer, event)
  }
  return event
}
