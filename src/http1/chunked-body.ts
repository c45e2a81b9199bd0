// A chunked body: the data is told from what frames it (RFC 9112, section 7.1).
import { areFieldLines, HEAD_MAX_BYTES, ProtocolError } from './answer-head.ts'

const SIZE_LINE = /^([0-9a-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/i
const LINE_FEED = 10

/** Reads one chunked body as it comes in. */
export class ChunkedBody {
  /** Whether the body has ended. */
  isDone = false
  /** Where in the bytes given last the body ended, once it has. */
  endsAt = 0
  #expects: 'size' | 'data' | 'data-end' | 'trailer' = 'size'
  #remaining = 0
  #line = ''
  #trailerBytes = 0

  /**
   * Moves the data within `bytes[from, to)` together at its front.
   * @returns where the data ends
   * @throws {ProtocolError} where the framing is malformed, or a line or the trailer is longer than a head may be
   */
  decode(bytes: Buffer, from: number, to: number): number {
    let at = from
    let end = from
    while (at < to && !this.isDone) {
      if (this.#expects === 'data') {
        const size = Math.min(this.#remaining, to - at)
        if (end !== at) bytes.copyWithin(end, at, at + size)
        end += size
        at += size
        this.#remaining -= size
        if (this.#remaining === 0) this.#expects = 'data-end'
      } else at = this.#readLine(bytes, at, to)
    }
    this.endsAt = at
    return end
  }

  #readLine(bytes: Buffer, at: number, to: number): number {
    const lineFeed = bytes.indexOf(LINE_FEED, at)
    const isWhole = lineFeed >= 0 && lineFeed < to
    const end = isWhole ? lineFeed + 1 : to
    this.#line += bytes.toString('latin1', at, end)
    if (this.#line.length > HEAD_MAX_BYTES) throw new ProtocolError('endless line in a chunked body')
    if (isWhole) {
      this.#take(this.#line)
      this.#line = ''
    }
    return end
  }

  #take(line: string): void {
    if (this.#expects === 'size') {
      const size = SIZE_LINE.exec(line)?.[1]
      if (size === undefined) throw new ProtocolError('malformed size of a chunk')
      this.#remaining = Number.parseInt(size, 16)
      this.#expects = this.#remaining === 0 ? 'trailer' : 'data'
    } else if (this.#expects === 'data-end') {
      if (line !== '\r\n') throw new ProtocolError('chunk longer than it says')
      this.#expects = 'size'
    } else if (line === '\r\n') this.isDone = true
    else {
      this.#trailerBytes += line.length
      if (this.#trailerBytes > HEAD_MAX_BYTES || !areFieldLines(line)) throw new ProtocolError('malformed trailer')
    }
  }
}
