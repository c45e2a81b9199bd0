// A cached answer: its bytes, the headers that describe them, and its lifetime.
import { isAscii } from 'node:buffer'
import { hash } from 'node:crypto'

/** Some 128 bits: enough to avoid accidental collisions, and little memory per answer. */
const ETAG_CHARACTERS = 22

/** How the bytes of an answer are encoded. */
type AnswerKind = {
  readonly contentType: string
  readonly isGzip: boolean
}

/** One cached answer. */
export class KeptAnswer implements AnswerKind {
  /** The bytes, one character each. V8 stores such a string with an overhead of 16 bytes; a Buffer's is ten times as large. */
  readonly latin1: string
  /** Whether the string can be sent as it is, because each character is one byte in UTF-8 too. */
  readonly isAscii: boolean
  readonly contentType: string
  readonly isGzip: boolean
  /** From 1 to 3600. */
  readonly ttlSeconds: number
  readonly #keptAtMs: number
  #etag: string | undefined

  /** @param keptAtMs when the answer was cached, on the same clock as `nowMs` of {@link leftSeconds} */
  constructor(body: Buffer, { contentType, isGzip }: AnswerKind, ttlSeconds: number, keptAtMs: number) {
    this.latin1 = body.toString('latin1')
    this.isAscii = isAscii(body)
    this.contentType = shared(contentType)
    this.isGzip = isGzip
    this.ttlSeconds = ttlSeconds
    // V8 stores a small integer in place, without allocating.
    this.#keptAtMs = Math.round(keptAtMs)
  }

  get body(): Buffer {
    return Buffer.from(this.latin1, 'latin1')
  }

  /** A strong entity tag (RFC 9110, section 8.8.3), computed from the bytes: 22 characters in quotes. */
  get etag(): string {
    this.#etag ??= `"${hash('sha256', this.body, 'base64url').slice(0, ETAG_CHARACTERS)}"`
    return this.#etag
  }

  /** The age of the answer, in whole seconds. */
  ageSeconds(nowMs: number): number {
    return Math.max(0, Math.floor((nowMs - this.#keptAtMs) / 1_000))
  }

  /** The remaining lifetime, in whole seconds, by the shorter of the answer's own and the reader's `ttlSeconds`; 0 or less once expired. */
  leftSeconds(nowMs: number, ttlSeconds: number): number {
    return Math.min(this.ttlSeconds, ttlSeconds) - this.ageSeconds(nowMs)
  }
}

const COMMON_TYPE = 'application/json; charset=utf-8'

/** Returns one shared string for the common content type, since a separate copy for each answer would take memory. */
const shared = (contentType: string) => (contentType === COMMON_TYPE ? COMMON_TYPE : contentType)
