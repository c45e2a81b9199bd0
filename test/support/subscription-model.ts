// Subscriptions under random events, and the rules that must always hold.
import assert from 'node:assert/strict'
import { createRig, LIVE, type Reading, STREAM } from './subscription-rig.ts'

/** The events: time passes, data changes, a token is renewed, connections break, readers join, pause, read and leave. */
export type Step =
  | { do: 'advance' | 'silence' | 'outage'; ms: number }
  | { do: 'change'; to: number }
  | { do: 'append'; rows: number }
  | { do: 'renew' | 'refuse' | 'join' | 'stream' }
  | { do: 'break'; code: number }
  | { do: 'pause' | 'leave'; reader: number }

/** How long Hasura may be down so that a connection is back in time; the longest wait and connecting come on top. */
export const OUTAGE_MAX_MS = 3_000
/** The lifetime of tokens; steps renew them sooner. */
const TOKEN_LIFE_MS = 120_000
/** After this long without an event, every reader must be up to date: detecting a dead peer, one wait, connecting. */
const QUIET_MS = 25_000 + 30_000 + 1_000

/** Runs the steps; each broken rule is an assertion that fails. */
export class SubscriptionModel {
  readonly #rig
  readonly #live: { reading: Reading; isGone: boolean }[] = []
  readonly #streams: Reading[] = []
  handOvers = 0
  breaks = 0
  rows = 0

  constructor(random: number, latencies: readonly number[]) {
    this.#rig = createRig({ random, tokenLifeMs: TOKEN_LIFE_MS })
    let made = 0
    this.#rig.hasura.latencyMs = () => latencies[made++ % latencies.length] ?? 1
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#take(step)
      await this.#rig.advance(0)
      this.#checkAlways()
    }
    for (const { reading } of this.#live) resume(reading)
    await this.#pass(QUIET_MS)
    // A token may have been renewed at the last moment.
    await this.#rig.advance(1_000)
    this.#checkQuiet()
    this.#rig.subscriptions.close()
    await this.#rig.advance(1_000)
    assert.equal(this.#rig.hasura.connections.size, 0, 'no connection is left behind')
  }

  async #take(step: Step): Promise<void> {
    const { hasura, read } = this.#rig
    if (step.do === 'advance') await this.#pass(step.ms)
    else if (step.do === 'change') hasura.change(step.to)
    else if (step.do === 'append') hasura.append(step.rows)
    else if (step.do === 'renew') this.#renew()
    else if (step.do === 'join') this.#live.push({ reading: read(LIVE), isGone: false })
    else if (step.do === 'stream') this.#streams.push(read(STREAM))
    else if (step.do === 'break') this.#break(step.code)
    else if (step.do === 'refuse') this.#refuse()
    else if (step.do === 'pause') toggle(this.#live[step.reader % this.#live.length]?.reading)
    else if (step.do === 'leave') this.#leave(step.reader)
    else if (step.do === 'silence' || step.do === 'outage') await this.#fault(step.do, step.ms)
  }

  /** Time passes, and the token is renewed at 75 % of its life, as by the token manager. */
  async #pass(ms: number): Promise<void> {
    const { rig, advance, hasura } = this.#rig
    for (let left = ms; left > 0; ) {
      const expiresAtMs = hasura.tokens.get(rig.token ?? '') ?? Number.POSITIVE_INFINITY
      const dueMs = expiresAtMs - TOKEN_LIFE_MS / 4 - rig.clock.nowMs()
      const stepMs = Math.min(left, Math.max(0, dueMs))
      await advance(stepMs)
      left -= stepMs
      if (dueMs <= stepMs) this.#renew()
    }
  }

  #renew(): void {
    this.handOvers += this.#rig.hasura.connections.size
    this.#rig.rig.renew()
  }

  #break(code: number): void {
    this.breaks += this.#rig.hasura.connections.size
    this.#rig.hasura.breakAll(code)
  }

  /** Hasura no longer accepts the current token, if it has accepted it before: never two tokens in a row, which would be an error. */
  #refuse(): void {
    const { hasura, rig } = this.#rig
    if ([...hasura.connections].some(({ isAcked, token }) => isAcked && token === rig.token)) hasura.tokens.delete(rig.token ?? '')
  }

  #leave(index: number): void {
    const entry = this.#live[index % this.#live.length]
    if (entry) entry.isGone = true
    entry?.reading.reader.leave()
  }

  /** Hasura is down for a while: its connections break, or fall silent. */
  async #fault(kind: 'silence' | 'outage', ms: number): Promise<void> {
    const { hasura } = this.#rig
    if (kind === 'silence') hasura.isSilent = true
    else hasura.isUp = false
    if (kind === 'outage') this.#break(1006)
    await this.#pass(ms)
    hasura.isUp = true
    hasura.isSilent = false
    // A stalled Hasura sends its pending messages once it is back.
    if (kind === 'silence') this.#break(1006)
  }

  /** No error, no repeated answer, every row once and in order. */
  #checkAlways(): void {
    for (const { reading, isGone } of this.#live) {
      if (!isGone) assert.equal(reading.ending, undefined, 'no caller sees an end')
      for (const [at, answer] of reading.answers.entries())
        assert.notEqual(answer, reading.answers[at - 1], 'no answer comes twice in a row')
    }
    for (const reading of this.#streams) {
      assert.equal(reading.ending, undefined, 'no stream ends')
      assert.deepEqual(rowsOf(reading), this.#rig.hasura.rows.slice(0, rowsOf(reading).length), 'every row once, in order')
    }
  }

  /** Once everything is quiet, every reader has the current state and every row. */
  #checkQuiet(): void {
    this.#checkAlways()
    const { hasura } = this.#rig
    for (const { reading, isGone } of this.#live)
      if (!isGone) assert.equal(reading.answers.at(-1), hasura.answerTo(LIVE.query), 'no gap in state')
    for (const reading of this.#streams) assert.deepEqual(rowsOf(reading), hasura.rows, 'no row is missing')
    this.rows += this.#streams.length * hasura.rows.length
    assert.ok(hasura.subscriptionCount <= this.#streams.length + 1, 'equal live queries are one at Hasura')
  }
}

const rowsOf = ({ answers }: Reading): number[] => answers.flatMap(text => JSON.parse(text).data.users_stream).map(({ id }) => id)

function toggle(reading: Reading | undefined): void {
  if (reading === undefined) return
  if (reading.isPaused) resume(reading)
  else reading.isPaused = true
}

function resume(reading: Reading): void {
  reading.isPaused = false
  reading.read()
}
