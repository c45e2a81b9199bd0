// The body of a large answer as a stream that never runs ahead of its reader.
import { Readable } from 'node:stream'

/** How much of a body may wait for its reader, in bytes, beside what one read brings. */
export const STREAM_BUFFER_BYTES = 65_536

/** What a stream may ask of its source. */
export type StreamSource = {
  /** The reader wants more. */
  onWanted(): void
  /** The stream is over: at its end, by an error, or because its reader left. */
  onClosed(): void
}

/** A body that is read from a connection. */
export class AnswerStream extends Readable {
  readonly #source: StreamSource
  #destination: NodeJS.WritableStream | undefined

  constructor(source: StreamSource) {
    super({ highWaterMark: STREAM_BUFFER_BYTES })
    this.#source = source
  }

  /**
   * Hands on bytes, which may be overwritten afterwards.
   * @returns whether the reader wants more at once
   */
  deliver(bytes: Buffer): boolean {
    // As text, one byte a character: V8 counts the bytes of a string and collects it soon, but lets some 64 MiB of buffers pile up.
    if (this.#destination) return this.#destination.write(bytes.toString('latin1'), 'latin1')
    return this.push(Buffer.from(bytes))
  }

  /** Writes all of it to a destination, which is the only reader; a destination that closes ends the stream. */
  override pipe<T extends NodeJS.WritableStream>(destination: T, { end = true }: { end?: boolean } = {}): T {
    if (end) this.once('end', () => destination.end())
    destination.on('drain', () => this.#source.onWanted())
    destination.once('close', () => this.destroy())
    for (let held = this.read(); held !== null; held = this.read()) destination.write(held)
    this.#destination = destination
    return destination
  }

  /** Ends the stream behind what it was given. */
  finish(): void {
    this.push(null)
    if (this.#destination) this.resume()
  }

  override _read(): void {
    this.#source.onWanted()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.onClosed()
    done(error)
  }
}
