// Buffers answers for one reader: only the latest of a live query, or all of a streaming subscription.
import type { GatewayError } from '../errors.ts'

/** The most bytes buffered for a reader of a streaming subscription; beyond this, the reader is cut off. */
export const HELD_MAX_BYTES = 1024 * 1024

/** An answer from Hasura; all readers share one object. */
export type Answer = { readonly kind: 'answer'; readonly text: string }

/** How a stream ends: completed by Hasura, with an error, or broken off without `complete`, so that the client reconnects. */
export type Ending = { readonly kind: 'complete' } | { readonly kind: 'error'; readonly error: GatewayError } | { readonly kind: 'break' }

/** One reader. Its user calls `take` until it returns undefined, and again after each `onReady`. */
export class Reader {
  /** Called when there may be something to take. */
  onReady: () => void = () => {}
  /** Whether the reader was cut off because it was too far behind. */
  isCut = false
  readonly #keepsAll: boolean
  readonly #onLeave: (reader: Reader) => void
  #held: Answer[] = []
  #heldBytes = 0
  #taken: string | undefined
  #ending: Ending | undefined

  /**
   * @param keepsAll whether to keep every answer, up to {@link HELD_MAX_BYTES}; if false, each answer replaces the one before
   * @param onLeave called when the reader leaves before the end
   */
  constructor(keepsAll: boolean, onLeave: (reader: Reader) => void) {
    this.#keepsAll = keepsAll
    this.#onLeave = onLeave
  }

  /** Adds an answer. */
  put(answer: Answer): void {
    if (this.#ending) return
    if (this.#keepsAll) this.#keep(answer)
    else this.#held = [answer]
    this.onReady()
  }

  /** Whether the stream was broken off, which does not wait for buffered answers. */
  get isBroken(): boolean {
    return this.#ending?.kind === 'break'
  }

  /** Ends the stream after the buffered answers; a `break` discards them. */
  end(ending: Ending): void {
    if (this.#ending) return
    this.#ending = ending
    if (this.isBroken) this.#held = []
    this.onReady()
  }

  /** Returns the next answer, or the ending after the last one; undefined if there is neither. Skips an answer equal to the last one. */
  take(): Answer | Ending | undefined {
    const answer = this.#held.shift()
    if (answer === undefined) return this.#ending
    if (this.#keepsAll) this.#heldBytes -= Buffer.byteLength(answer.text)
    else if (answer.text === this.#taken) return this.#ending
    else this.#taken = answer.text
    return answer
  }

  /** Ends reading; calls `onLeave` unless the stream has ended. */
  leave(): void {
    if (this.#ending) return
    this.#ending = { kind: 'break' }
    this.#held = []
    this.#onLeave(this)
  }

  #keep(answer: Answer): void {
    this.#held.push(answer)
    this.#heldBytes += Buffer.byteLength(answer.text)
    // A single answer is passed on whatever its size.
    if (this.#heldBytes <= HELD_MAX_BYTES || this.#held.length === 1) return
    this.isCut = true
    this.leave()
  }
}
