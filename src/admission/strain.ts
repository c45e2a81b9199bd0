// Decides from samples whether the service is overloaded or has recovered, and for how long. Pure: samples and times are arguments.

/** The values at which refusing starts and stops; the gap between them prevents switching with every sample. */
type Band = { readonly refuseAbove: number; readonly recoverBelow: number }

/** The delay of the event loop, in ms: a request that waits this long for a turn is better served by another replica. */
export const LOOP_DELAY_MS: Band = { refuseAbove: 1_000, recoverBelow: 500 }
/** The share of V8's heap limit in use. Near the limit V8 has already collected what it can, so a share that stays high is live memory. */
export const HEAP_SHARE: Band = { refuseAbove: 0.9, recoverBelow: 0.8 }
/** How many consecutive samples must agree: a single late one is a pause, not overload. */
const SAMPLES_IN_A_ROW = 2

/** Compares one measurement with a band. */
export class Strain {
  readonly #band: Band
  #above = 0
  #isStrained = false

  constructor(band: Band) {
    this.#band = band
  }

  /** Whether to refuse. */
  get isStrained(): boolean {
    return this.#isStrained
  }

  /** Adds a sample; undefined means that there was nothing to measure, which counts as recovered. */
  sample(value: number | undefined): void {
    this.#above = value !== undefined && value > this.#band.refuseAbove ? this.#above + 1 : 0
    if (this.#above >= SAMPLES_IN_A_ROW) this.#isStrained = true
    else if (value === undefined || value < this.#band.recoverBelow) this.#isStrained = false
  }
}

/** Measures how long a condition has held, from regular samples. */
export class Lasting {
  #sinceMs: number | undefined

  /** Adds a sample. */
  look(isSo: boolean, nowMs: number): void {
    this.#sinceMs = isSo ? (this.#sinceMs ?? nowMs) : undefined
  }

  /** Returns how long the condition has held at every sample, in ms; 0 if it does not hold. */
  durationMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs
  }
}
