// What is kept for one reader until it takes it: the latest answer of a live query, or every answer of a streaming subscription.
import type { GatewayError } from '../errors.ts'

/** What is held at the most for a reader of a streaming subscription, in bytes; one further behind is cut. */
export const HELD_MAX_BYTES = 1024 * 1024

/** An answer of Hasura; one object, whatever the number of its readers. */
export type Answer = { readonly kind: 'answer'; readonly text: string }

/** How a stream ends: as Hasura says, with an error, or without a word, so that the client comes back. */
export type Ending = { readonly kind: 'complete' } | { readonly kind: 'error'; readonly error: GatewayError } | { readonly kind: 'break' }

/** One reader. It asks with `take` until nothing is there, and again when `onReady` has been called. */
export class Reader {
  /** Called when there may be something to take. */
  onReady: () => void = () => {}
  /** Whether the reader was so far behind that it was given up. */
  isCut = false
  readonly #keepsAll: boolean
  readonly #onLeave: (reader: Reader) => void
  #held: Answer[] = []
  #heldBytes = 0
  #taken: string | undefined
  #ending: Ending | undefined

  /**
   * @param keepsAll whether every answer counts, up to {@link HELD_MAX_BYTES}; else each replaces the one before
   * @param onLeave told when the reader leaves before the end
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

  /** Whether the stream ends without a word, which does not wait for what is on its way. */
  get isBroken(): boolean {
    return this.#ending?.kind === 'break'
  }

  /** Ends the stream: after what is held, or without it where it breaks. */
  end(ending: Ending): void {
    if (this.#ending) return
    this.#ending = ending
    if (this.isBroken) this.#held = []
    this.onReady()
  }

  /** The next answer, then the ending, again and again; undefined while there is neither. An answer equal to the last is left out. */
  take(): Answer | Ending | undefined {
    const answer = this.#held.shift()
    if (answer === undefined) return this.#ending
    if (this.#keepsAll) this.#heldBytes -= Buffer.byteLength(answer.text)
    else if (answer.text === this.#taken) return this.#ending
    else this.#taken = answer.text
    return answer
  }

  /** Wants no more; whoever it reads from is told, unless the stream has ended. */
  leave(): void {
    if (this.#ending) return
    this.#ending = { kind: 'break' }
    this.#held = []
    this.#onLeave(this)
  }

  #keep(answer: Answer): void {
    this.#held.push(answer)
    this.#heldBytes += Buffer.byteLength(answer.text)
    // One answer is passed on whatever its size.
    if (this.#heldBytes <= HELD_MAX_BYTES || this.#held.length === 1) return
    this.isCut = true
    this.leave()
  }
}
