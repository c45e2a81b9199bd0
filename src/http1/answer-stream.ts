// Streams the body of a large answer, at most one read ahead of its reader.
import { Readable } from 'node:stream'
import { READ_MAX_BYTES } from './open-socket.ts'

/** What a stream calls on its source. */
type StreamSource = {
  /** The reader wants more. */
  onWanted(): void
  /** The stream has ended, has failed, or was destroyed by its reader. */
  onClosed(): void
}

/** A body that is read from a connection. */
export class AnswerStream extends Readable {
  readonly #source: StreamSource
  /** What was read before the stream had a reader. */
  readonly #held: Buffer[]
  #isFinished = false
  #destination: NodeJS.WritableStream | undefined
  /** Buffers that the destination has consumed. A new one for each read costs more than the copy, and leaves tens of MiB of garbage. */
  readonly #spare: Buffer[] = []

  constructor(source: StreamSource, held: Buffer[]) {
    super({ highWaterMark: READ_MAX_BYTES })
    this.#source = source
    this.#held = held
  }

  /**
   * Passes on the bytes of one read; the caller may overwrite them afterwards.
   * @returns whether the reader wants more at once
   */
  deliver(bytes: Buffer): boolean {
    if (this.#destination === undefined) return this.push(Buffer.from(bytes))
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(READ_MAX_BYTES)
    bytes.copy(buffer)
    return this.#destination.write(buffer.subarray(0, bytes.length), () => void this.#spare.push(buffer))
  }

  /** Writes the whole body to a destination, which must be the only reader. If the destination closes, the stream is destroyed. */
  override pipe<T extends NodeJS.WritableStream>(destination: T, { end = true }: { end?: boolean } = {}): T {
    if (end) this.once('end', () => destination.end())
    destination.on('drain', () => this.#source.onWanted())
    destination.once('close', () => this.destroy())
    // What the stream holds, and what a reader before gave back with unshift.
    for (let bytes = this.read(); bytes !== null; bytes = this.read()) destination.write(bytes)
    this.#destination = destination
    this.resume()
    return destination
  }

  /** Ends the stream after the bytes that it was given. */
  finish(): void {
    this.#isFinished = true
    if (this.#held.length === 0) this.push(null)
  }

  override _read(): void {
    const bytes = this.#held.shift()
    if (bytes) this.push(bytes)
    else if (this.#isFinished) this.push(null)
    else this.#source.onWanted()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.onClosed()
    done(error)
  }
}
