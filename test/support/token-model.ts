// The token manager under random events, and the rules that must always hold.
import assert from 'node:assert/strict'
import { ExchangeError, type ExchangeFaultCode } from '../../src/cognito/exchange-error.ts'
import type { Exchange } from '../../src/cognito/token-exchange.ts'
import { TokenManager } from '../../src/cognito/token-manager.ts'
import { FakeClock } from './fake-clock.ts'

/** One exchange: how long it takes, and a token or a failure. */
export type Turn = { durationMs: number; lifetimeSeconds?: number; code?: ExchangeFaultCode; retryAfterMs?: number }

/** The events: time passes, the machine sleeps, a request arrives, Hasura refuses the current or an older token. */
export type Step = { do: 'advance' | 'sleep' | 'request' | 'refuse' | 'refuse-old'; ms: number }

const CONFIGURATION = /^(invalid_client|secret_unreadable)$/

/** Runs the steps against a manager whose random numbers are all `random`; each broken rule is an assertion that fails. */
export class TokenModel {
  readonly clock = new FakeClock()
  readonly manager: TokenManager
  readonly turns: Turn[]
  readonly random: number
  exchanges = 0
  forced = 0
  underWay = 0
  consecutiveFailures = 0
  /** The earliest time at which the next exchange may begin, in ms; a forced one may be earlier. */
  notBeforeMs = 0
  lastForcedAtMs = Number.NEGATIVE_INFINITY
  token: { value: string; unusableAtMs: number } | undefined
  readonly waiting = new Set<{ deadlineMs: number }>()
  /** Rules broken during an exchange, where the manager would treat a failed assertion as a failure of Cognito. */
  readonly broken: string[] = []

  constructor(turns: Turn[], random: number) {
    this.turns = turns
    this.random = random
    this.manager = new TokenManager({ exchange: () => this.#exchange(), clock: this.clock, random: () => random })
  }

  async run(steps: Step[]): Promise<void> {
    this.manager.start()
    for (const step of steps) {
      if (step.do === 'advance') await this.clock.advance(step.ms)
      else if (step.do === 'sleep') this.clock.sleep(step.ms)
      else if (step.do === 'request') this.#request(step.ms)
      else this.#refuse(step.do === 'refuse' ? this.token?.value : 'token-0', step.ms)
      await this.clock.advance(0)
      assert.deepEqual(this.broken, [])
      for (const { deadlineMs } of this.waiting) assert.ok(this.clock.nowMs() <= deadlineMs, 'a request waits past its time')
    }
  }

  #exchange(): Promise<Exchange> {
    const startedAtMs = this.clock.nowMs()
    if (this.underWay > 0) this.broken.push('two exchanges are under way')
    if (startedAtMs < this.notBeforeMs) this.broken.push(`an exchange at ${startedAtMs} ms, not due before ${this.notBeforeMs} ms`)
    this.exchanges += 1
    this.underWay += 1
    const turn = this.turns[(this.exchanges - 1) % this.turns.length] ?? { durationMs: 0, lifetimeSeconds: 3600 }
    const value = `token-${this.exchanges}`
    return new Promise((resolve, reject) => {
      this.clock.setTimer(() => {
        this.underWay -= 1
        const lifeMs = (turn.lifetimeSeconds ?? 0) * 1000
        const unusableAtMs = startedAtMs + lifeMs - Math.min(10_000, lifeMs * 0.02)
        if (turn.code === undefined && this.clock.nowMs() < unusableAtMs) {
          this.token = { value, unusableAtMs }
          this.consecutiveFailures = 0
          this.notBeforeMs = startedAtMs + lifeMs * (0.7 + 0.1 * this.random) - 0.001
        } else this.#fail(turn)
        const answer = { accessToken: value, expiresInSeconds: lifeMs / 1000, date: undefined, cognitoRequestId: undefined }
        if (turn.code === undefined) resolve(answer)
        else reject(new ExchangeError(turn.code, { retryAfterMs: turn.retryAfterMs }))
      }, turn.durationMs)
    })
  }

  #fail({ code = 'expired_on_arrival', retryAfterMs = 0 }: Turn): void {
    this.consecutiveFailures += 1
    const backoffMs = this.random * Math.min(30_000, 500 * 2 ** this.consecutiveFailures)
    const waitMs = CONFIGURATION.test(code) ? 48_000 + 24_000 * this.random : Math.max(backoffMs, Math.min(retryAfterMs, 300_000))
    this.notBeforeMs = this.clock.nowMs() + waitMs - 0.001
  }

  #isUsable(): boolean {
    return this.token !== undefined && this.clock.nowMs() < this.token.unusableAtMs
  }

  #isBackingOff(): boolean {
    return this.underWay === 0 && this.consecutiveFailures > 0 && this.clock.nowMs() < this.notBeforeMs
  }

  #request(waitMs: number): void {
    const given = this.manager.getToken(waitMs)
    if (this.#isUsable()) assert.equal(given, this.token?.value, 'a request waits while the token is usable')
    else this.#follow(given, this.#isBackingOff() ? 0 : Math.min(waitMs, 5_000))
  }

  #refuse(refused: string | undefined, waitMs: number): void {
    const nowMs = this.clock.nowMs()
    const isCurrent = refused !== undefined && refused === this.token?.value
    if (isCurrent && this.underWay === 0 && !this.#isBackingOff() && nowMs - this.lastForcedAtMs >= 30_000) {
      this.lastForcedAtMs = nowMs
      this.notBeforeMs = nowMs
      this.forced += 1
    }
    this.#follow(this.manager.rejectToken(refused ?? 'none', waitMs), this.#isBackingOff() ? 0 : Math.min(waitMs, 5_000))
  }

  #follow(given: string | undefined | Promise<string | undefined>, waitMs: number): void {
    const waiter = { deadlineMs: this.clock.nowMs() + waitMs }
    this.waiting.add(waiter)
    const end = () => void this.waiting.delete(waiter)
    Promise.resolve(given).then(end, error => {
      end()
      assert.equal(error.code, 'TOKEN_UNAVAILABLE')
    })
  }
}
