// An answer as it is kept: its bytes, what the caller must know of them, and how long they are good for.
import { isAscii } from 'node:buffer'
import { hash } from 'node:crypto'

/** 128 bits: enough for bytes that nobody chooses to collide, and memory for each answer. */
const ETAG_CHARACTERS = 22

/** What goes with the bytes of an answer. */
export type AnswerKind = {
  readonly contentType: string
  readonly isGzip: boolean
}

/** One answer that is kept. */
export class KeptAnswer implements AnswerKind {
  /** Its bytes, one character each. V8 holds such a text in its length and 16 bytes; a Buffer takes ten times as much beside its bytes. */
  readonly latin1: string
  /** Whether the text can be sent as it is, since each character is one byte in UTF-8 as well. */
  readonly isAscii: boolean
  readonly contentType: string
  readonly isGzip: boolean
  /** From 1 to 3600. */
  readonly ttlSeconds: number
  readonly #keptAtMs: number
  #etag: string | undefined

  /** @param keptAtMs when it was kept, by the clock that {@link leftSeconds} is asked with */
  constructor(body: Buffer, { contentType, isGzip }: AnswerKind, ttlSeconds: number, keptAtMs: number) {
    this.latin1 = body.toString('latin1')
    this.isAscii = isAscii(body)
    this.contentType = shared(contentType)
    this.isGzip = isGzip
    this.ttlSeconds = ttlSeconds
    // A whole number takes no memory of its own.
    this.#keptAtMs = Math.round(keptAtMs)
  }

  get body(): Buffer {
    return Buffer.from(this.latin1, 'latin1')
  }

  /** A strong entity tag (RFC 9110, section 8.8.3), from the bytes alone: 22 characters in quotes. */
  get etag(): string {
    this.#etag ??= `"${hash('sha256', this.body, 'base64url').slice(0, ETAG_CHARACTERS)}"`
    return this.#etag
  }

  /** How long ago it was kept, in whole seconds. */
  ageSeconds(nowMs: number): number {
    return Math.max(0, Math.floor((nowMs - this.#keptAtMs) / 1_000))
  }

  /** How long it is still good for, in whole seconds: 0 or less once it is too old, by its own lifetime or by the reader's. */
  leftSeconds(nowMs: number, ttlSeconds: number): number {
    return Math.min(this.ttlSeconds, ttlSeconds) - this.ageSeconds(nowMs)
  }
}

const COMMON_TYPE = 'application/json; charset=utf-8'

/** Nearly all answers have the same type; a text that came with each would take memory for each. */
const shared = (contentType: string) => (contentType === COMMON_TYPE ? COMMON_TYPE : contentType)
