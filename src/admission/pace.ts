// Does a caller keep up? Judged by looking at its connection every second; pure, so that tests need no time to pass.

/** The pace that a caller must keep, in bytes a second: of what it sends, and of what it reads while an answer waits for it. */
export const SENDING_MIN_BYTES_PER_SECOND = 1_024
export const READING_MIN_BYTES_PER_SECOND = 8_192
/** For so long a caller may send as slowly as it likes, in ms. */
export const SENDING_GRACE_MS = 5_000
/** So long is what is read measured, in ms. */
export const READING_WINDOW_MS = 10_000
/** The longest that a body may take to arrive, in ms. */
export const BODY_MAX_MS = 60_000

/** A connection at one look. */
export type Look = {
  nowMs: number
  /** Bytes that have come in since the connection was made. */
  readBytes: number
  /** Bytes that the kernel has taken since then. */
  sentBytes: number
  /** What is coming in: nothing, the head of a request, or its body. */
  receiving: 'head' | 'body' | undefined
  /** Whether bytes of an answer wait for the caller to read. */
  isAnswerWaiting: boolean
}

/** Why a caller is cut off. */
export type TooSlow = 'the request arrived too slowly' | 'the answer was read too slowly'

/** The pace of one connection. */
export class Pace {
  #receivingSince: Look | undefined
  #waitingLooks: Look[] = []

  /** Takes a look in, and says whether the caller has fallen behind. */
  look(look: Look): TooSlow | undefined {
    if (this.#sendsTooSlowly(look)) return 'the request arrived too slowly'
    return this.#readsTooSlowly(look) ? 'the answer was read too slowly' : undefined
  }

  #sendsTooSlowly(look: Look): boolean {
    const since = this.#receivingSince
    if (look.receiving === undefined || since?.receiving !== look.receiving) {
      this.#receivingSince = look.receiving === undefined ? undefined : look
      return false
    }
    const elapsedMs = look.nowMs - since.nowMs
    if (look.receiving === 'body' && elapsedMs > BODY_MAX_MS) return true
    const dueBytes = ((elapsedMs - SENDING_GRACE_MS) / 1_000) * SENDING_MIN_BYTES_PER_SECOND
    return look.readBytes - since.readBytes < dueBytes
  }

  #readsTooSlowly(look: Look): boolean {
    if (!look.isAnswerWaiting) {
      this.#waitingLooks = []
      return false
    }
    this.#waitingLooks.push(look)
    // The window begins at the latest look that is old enough.
    while ((this.#waitingLooks[1]?.nowMs ?? Number.POSITIVE_INFINITY) <= look.nowMs - READING_WINDOW_MS) this.#waitingLooks.shift()
    const first = this.#waitingLooks[0] ?? look
    const elapsedMs = look.nowMs - first.nowMs
    return elapsedMs >= READING_WINDOW_MS && look.sentBytes - first.sentBytes < (elapsedMs / 1_000) * READING_MIN_BYTES_PER_SECOND
  }
}
