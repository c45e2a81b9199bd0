// Decodes a chunked body: separates the data from the framing (RFC 9112, section 7.1).
import { areFieldLines, couldBeFieldLines, HEAD_MAX_BYTES, ProtocolError } from './answer-head.ts'

/** The longest line that starts a chunk, extensions included, in bytes. */
const SIZE_LINE_MAX_BYTES = 1_024

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+"
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const EXTENSION = `[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED}))?`
const SIZE_LINE = new RegExp(`^([0-9a-fA-F]{1,12})(?:${EXTENSION})*\\r\\n$`)
/** The shortest endings of a line that starts a chunk, one for each position where it may be cut. */
const SIZE_LINE_ENDINGS = ['\r\n', '\n', '0\r\n', 'a\r\n', ';a\r\n', '"\r\n', 'a"\r\n']
const LINE_FEED = 10

/** The decoder of one chunked body, which may arrive in any pieces. */
export class ChunkedBody {
  /** Whether the body has ended. */
  isDone = false
  /** Where the body ended in the latest bytes; valid once `isDone`. */
  endsAt = 0
  #expects: 'size' | 'data' | 'data-end' | 'trailer' = 'size'
  #remaining = 0
  #line = ''
  #trailerBytes = 0

  /**
   * Moves the data in `bytes[from, to)` to the front of that range.
   * @returns where the data ends
   * @throws {ProtocolError} as soon as the framing cannot become valid, or a line or the trailer is too long
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
    const maxBytes = this.#expects === 'size' ? SIZE_LINE_MAX_BYTES : HEAD_MAX_BYTES
    if (this.#line.length + end - at > maxBytes) throw new ProtocolError('a line of a chunked body is too long')
    const line = this.#line + bytes.toString('latin1', at, end)
    if (isWhole) this.#take(line)
    else if (!this.#couldBecome(line)) throw new ProtocolError('malformed chunked body')
    this.#line = isWhole ? '' : line
    return end
  }

  /** Whether a text can be the beginning of the expected line. */
  #couldBecome(line: string): boolean {
    if (this.#expects === 'size') return SIZE_LINE_ENDINGS.some(ending => SIZE_LINE.test(line + ending))
    return this.#expects === 'data-end' ? line === '\r' : couldBeFieldLines(line)
  }

  #take(line: string): void {
    if (this.#expects === 'size') {
      const size = SIZE_LINE.exec(line)?.[1]
      if (size === undefined) throw new ProtocolError('malformed size of a chunk')
      this.#remaining = Number.parseInt(size, 16)
      this.#expects = this.#remaining === 0 ? 'trailer' : 'data'
    } else if (this.#expects === 'data-end') {
      if (line !== '\r\n') throw new ProtocolError('chunk longer than its size')
      this.#expects = 'size'
    } else if (line === '\r\n') this.isDone = true
    else {
      this.#trailerBytes += line.length
      if (this.#trailerBytes > HEAD_MAX_BYTES || !areFieldLines(line)) throw new ProtocolError('malformed trailer')
    }
  }
}
