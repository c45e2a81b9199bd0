// Is the service near one of its bounds, since when, and has it recovered? Pure: samples and times are arguments.

/** Where refusing begins and where it ends again; the gap keeps a service at the edge from changing its mind with each sample. */
export type Band = { readonly refuseAbove: number; readonly recoverBelow: number }

/** Lateness of the event loop, in ms: a request that waits so long for a turn of it is better answered elsewhere. */
export const LOOP_DELAY_MS: Band = { refuseAbove: 1_000, recoverBelow: 500 }
/** Share of V8's heap limit in use. Before it is reached V8 has collected what it can, so what stays above is live. */
export const HEAP_SHARE: Band = { refuseAbove: 0.9, recoverBelow: 0.8 }
/** How many samples in a row must agree: a single late one is a pause, not a load. */
export const SAMPLES_IN_A_ROW = 2

/** One measure held against a band. */
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

  /** Takes one sample in; undefined says that there was nothing to measure, which counts as recovered. */
  sample(value: number | undefined): void {
    this.#above = value !== undefined && value > this.#band.refuseAbove ? this.#above + 1 : 0
    if (this.#above >= SAMPLES_IN_A_ROW) this.#isStrained = true
    else if (value === undefined || value < this.#band.recoverBelow) this.#isStrained = false
  }
}

/** How long something is so, by regular looks at it. */
export class Lasting {
  #sinceMs: number | undefined

  /** Takes one look in. */
  look(isSo: boolean, nowMs: number): void {
    this.#sinceMs = isSo ? (this.#sinceMs ?? nowMs) : undefined
  }

  /** For how long it has been so at every look, in ms; 0 where it is not. */
  durationMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs
  }
}
