// Decides whether a caller sends and reads fast enough, from regular samples of its connection. Pure, so that tests need not wait.

/** The lowest rates, in bytes per second, at which a caller must send a request, and read while an answer waits for it. */
const SENDING_MIN_BYTES_PER_SECOND = 1_024
const READING_MIN_BYTES_PER_SECOND = 8_192
/** How long a caller may send at any rate, in ms. */
const SENDING_GRACE_MS = 5_000
/** The period over which the reading rate is measured, in ms. */
const READING_WINDOW_MS = 10_000
/** Time limit for a body to arrive, in ms. */
export const BODY_MAX_MS = 60_000

/** One sample of a connection. */
export type Look = {
  nowMs: number
  /** Bytes received since the connection was opened. */
  readBytes: number
  /** Bytes that the kernel has taken since then. */
  sentBytes: number
  /** What is being received: the head of a request, its body, or nothing. */
  receiving: 'head' | 'body' | undefined
  /** Whether bytes of an answer wait for the caller to read them. */
  isAnswerWaiting: boolean
}

/** Why a caller is cut off. */
export type TooSlow = 'the request arrived too slowly' | 'the answer was read too slowly'

/** The pace of one connection. */
export class Pace {
  #receivingSince: Look | undefined
  #waitingLooks: Look[] = []

  /** Adds a sample, and returns why the caller is too slow, if it is. */
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
    // The window starts at the latest sample that is old enough.
    while ((this.#waitingLooks[1]?.nowMs ?? Number.POSITIVE_INFINITY) <= look.nowMs - READING_WINDOW_MS) this.#waitingLooks.shift()
    const first = this.#waitingLooks[0] ?? look
    const elapsedMs = look.nowMs - first.nowMs
    return elapsedMs >= READING_WINDOW_MS && look.sentBytes - first.sentBytes < (elapsedMs / 1_000) * READING_MIN_BYTES_PER_SECOND
  }
}
