// The error of a request that failed: the reason, and the phase in which it failed.

/** How far a request got before it failed: not sent; sent; or the answer had begun. */
export type AttemptPhase = 'unsent' | 'sent' | 'answered'

/** Thrown when a request gets no answer, or only part of one. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError'
  readonly phase: AttemptPhase
  readonly reason: 'broken' | 'timeout' | 'cancelled'

  constructor(phase: AttemptPhase, reason: AttemptError['reason'], cause?: unknown) {
    super(`${reason} while ${phase}`, { cause })
    this.phase = phase
    this.reason = reason
  }

  /** The failure in words for an operator: reason and phase, and the code or message of the cause. */
  get fault(): string {
    const { cause } = this
    if (!(cause instanceof Error)) return this.message
    return `${this.message}: ${'code' in cause ? cause.code : cause.message}`
  }
}
