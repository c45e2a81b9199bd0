// Why a request got no answer, and how far it came.

/** How far a request came before it failed: it was never sent; it was sent; its answer had begun. */
export type AttemptPhase = 'unsent' | 'sent' | 'answered'

/** A request that got no answer, or not the whole of it. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError'
  readonly phase: AttemptPhase
  readonly reason: 'broken' | 'timeout' | 'cancelled'

  constructor(phase: AttemptPhase, reason: AttemptError['reason'], cause?: unknown) {
    super(`${reason} while ${phase}`, { cause })
    this.phase = phase
    this.reason = reason
  }

  /** What went wrong, for an operator: how far the request came, and the code or the message of the cause. */
  get fault(): string {
    const { cause } = this
    if (!(cause instanceof Error)) return this.message
    return `${this.message}: ${'code' in cause ? cause.code : cause.message}`
  }
}
