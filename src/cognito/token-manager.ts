// Keeps a valid token: renews it with one timer and one exchange at a time, and gives it to every request that needs it.
import { type Clock, systemClock, TIMER_MAX_MS, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { type AccessToken, createAccessToken, zoneOf } from './access-token.ts'
import { ExchangeError } from './exchange-error.ts'
import { preflight, withoutClaimsNotice } from './preflight.ts'
import { FORCED_RENEWAL_INTERVAL_MS, retryDelayMs } from './refresh-policy.ts'
import type { Exchange } from './token-exchange.ts'
import { type ExchangeReason, type ExchangeReport, statusOfToken, type TokenStatus } from './token-status.ts'

/** The longest that a request waits for an exchange, in ms. */
export const WAIT_MAX_MS = 5_000
/** Time limit for an exchange, in ms: two requests of 10 s, one for each secret, and the time to read a file. */
export const EXCHANGE_MAX_MS = 30_000

/** Options of {@link TokenManager}. */
type TokenManagerOptions = {
  /** Makes one exchange or throws an {@link ExchangeError}. Not called again until it ends or {@link EXCHANGE_MAX_MS} have passed. */
  exchange: () => Promise<Exchange>
  /** Called after each exchange. */
  onExchange?: (report: ExchangeReport) => void
  /** Default: this machine's clock. */
  clock?: Clock
  /** Numbers from 0 up to 1; default Math.random. */
  random?: () => number
}

/** Holds the current token from `start()` to `stop()` and renews it in the background. Only `stop()` ends the renewal. */
export class TokenManager {
  readonly #exchange: () => Promise<Exchange>
  readonly #onExchange: ((report: ExchangeReport) => void) | undefined
  readonly #clock: Clock
  readonly #random: () => number
  #token: AccessToken | undefined
  #refused: AccessToken | undefined
  #notices: readonly string[] = []
  #isAccepted = false
  #flight: Promise<void> | undefined
  #cancelTimer: () => void = () => {}
  #nextExchangeAtMs: number | undefined
  #failures = 0
  #lastError: ExchangeError | undefined
  #lastForcedAtMs = Number.NEGATIVE_INFINITY
  #stopped = false

  constructor({ exchange, onExchange, clock = systemClock, random = Math.random }: TokenManagerOptions) {
    this.#exchange = exchange
    this.#onExchange = onExchange
    this.#clock = clock
    this.#random = random
  }

  /** Starts the first exchange without waiting for it. */
  start(): void {
    if (this.#nextExchangeAtMs === undefined) void this.#beginFlight()
  }

  /** Ends the renewal. An exchange under way may finish, but its token is not used. */
  stop(): void {
    this.#stopped = true
    this.#cancelTimer()
  }

  /**
   * Returns the token: at once while it is usable, else when an exchange has ended.
   * @param waitMs the longest wait, in ms; default and upper bound {@link WAIT_MAX_MS}
   * @throws {GatewayError} `TOKEN_UNAVAILABLE` with `retryAfterSeconds`: no token arrived in time, or a back-off after a failure is running
   */
  getToken(waitMs = WAIT_MAX_MS): string | Promise<string> {
    const token = this.#token
    if (token !== undefined && this.#clock.nowMs() < token.unusableAtMs) return token.value
    return this.#waitForToken(waitMs)
  }

  /**
   * Returns a token for a retry after Hasura refused `refused`: the current one if it is newer, else a renewed one. Forces at most one
   * renewal in {@link FORCED_RENEWAL_INTERVAL_MS}; undefined if another renewal is not allowed yet, or gave the same token.
   * @throws {GatewayError} `TOKEN_UNAVAILABLE` as for {@link getToken}
   */
  async rejectToken(refused: string, waitMs = WAIT_MAX_MS): Promise<string | undefined> {
    const token = this.#token
    if (token === undefined || token.value !== refused) return this.getToken(waitMs)
    if (this.#flight === undefined) {
      const nowMs = this.#clock.nowMs()
      if (this.#isBackingOff(nowMs)) throw this.#unavailable()
      if (nowMs - this.#lastForcedAtMs < FORCED_RENEWAL_INTERVAL_MS) return undefined
      this.#lastForcedAtMs = nowMs
      this.#refused = token
    }
    await this.#flightOrDeadline(waitMs)
    if (this.#token === token) throw this.#unavailable()
    const renewed = await this.getToken(0)
    return renewed === refused ? undefined : renewed
  }

  /** Call this when Hasura has answered with data: claims that the token lacks are then added by Hasura, and no notice is needed. */
  noteAccepted(): void {
    if (this.#isAccepted) return
    this.#isAccepted = true
    this.#notices = withoutClaimsNotice(this.#notices)
  }

  /** Ends the wait after a failure, whose cause may be gone, and starts the next exchange; does nothing if Cognito set a `Retry-After`. */
  retryNow(): void {
    if (this.#stopped || this.#flight !== undefined || !this.#isBackingOff(this.#clock.nowMs())) return
    if (this.#lastError?.retryAfterMs !== undefined) return
    this.#cancelTimer()
    void this.#beginFlight()
  }

  /** Returns the state of the token at this moment. */
  status(): TokenStatus {
    const nextAtMs = this.#nextExchangeAtMs
    return {
      ...statusOfToken(this.#token, this.#clock),
      ...(nextAtMs !== undefined && { nextExchangeInSeconds: Math.max(0, nextAtMs - this.#clock.nowMs()) / 1000 }),
      consecutiveFailures: this.#failures,
      ...(this.#lastError && { lastFailure: { code: this.#lastError.code, advice: this.#lastError.message } }),
      notices: this.#notices
    }
  }

  async #waitForToken(waitMs: number): Promise<string> {
    if (this.#flight === undefined && this.#isBackingOff(this.#clock.nowMs())) throw this.#unavailable()
    await this.#flightOrDeadline(waitMs)
    const token = this.#token
    if (token === undefined || zoneOf(token, this.#clock.nowMs()) === 'unusable') throw this.#unavailable()
    return token.value
  }

  /** Waits for the exchange under way, or starts one; the deadline ends the wait, not the exchange. */
  async #flightOrDeadline(waitMs: number): Promise<void> {
    await within(this.#clock, Math.min(waitMs, WAIT_MAX_MS), this.#beginFlight())
  }

  #beginFlight(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#flight ??= this.#renew().finally(() => {
      this.#flight = undefined
    })
    return this.#flight
  }

  /** Makes one exchange and applies its result. Never rejects, and always sets the next timer unless stopped. */
  async #renew(): Promise<void> {
    const reason = this.#reason()
    const startedAtMs = this.#clock.nowMs()
    this.#cancelTimer()
    this.#nextExchangeAtMs = undefined
    try {
      const answer = await within(this.#clock, EXCHANGE_MAX_MS, this.#exchange())
      if (answer === undefined) throw new ExchangeError('timeout')
      if (!this.#stopped) this.#accept(answer, reason, startedAtMs)
    } catch (error) {
      if (!this.#stopped) this.#backOff(error, reason, startedAtMs)
    }
  }

  #accept(answer: Exchange, reason: ExchangeReason, startedAtMs: number): void {
    const token = createAccessToken(answer, startedAtMs, this.#random())
    const nowMs = this.#clock.nowMs()
    // Accepting a token that expired on its way would start the next exchange at once, and so on in a loop.
    if (zoneOf(token, nowMs) === 'unusable') throw new ExchangeError('expired_on_arrival')
    this.#token = token
    this.#refused = undefined
    const notices = preflight(answer, this.#clock.wallMs())
    this.#notices = this.#isAccepted ? withoutClaimsNotice(notices) : notices
    this.#failures = 0
    this.#lastError = undefined
    this.#armTimer(token.refreshAtMs)
    const { expiresInSeconds, cognitoRequestId } = answer
    const refreshInSeconds = (token.refreshAtMs - nowMs) / 1000
    const renewed = { expiresInSeconds, refreshInSeconds, cognitoRequestId, notices: this.#notices }
    this.#report({ reason, outcome: 'ok', durationMs: nowMs - startedAtMs, token: renewed })
  }

  #backOff(cause: unknown, reason: ExchangeReason, startedAtMs: number): void {
    const error = cause instanceof ExchangeError ? cause : new ExchangeError('invalid_response', { cause })
    const nowMs = this.#clock.nowMs()
    this.#failures += 1
    this.#lastError = error
    const delayMs = retryDelayMs(error.kind, this.#failures, error.retryAfterMs, this.#random())
    this.#armTimer(nowMs + delayMs)
    const failure = { error, consecutive: this.#failures, retryInSeconds: delayMs / 1000 }
    this.#report({ reason, outcome: error.code, durationMs: nowMs - startedAtMs, failure })
  }

  #reason(): ExchangeReason {
    if (this.#token === undefined) return 'start'
    if (this.#token === this.#refused) return 'rejected'
    return zoneOf(this.#token, this.#clock.nowMs()) === 'unusable' ? 'expired' : 'scheduled'
  }

  #armTimer(atMs: number): void {
    this.#nextExchangeAtMs = atMs
    const delayMs = Math.min(Math.max(0, Math.ceil(atMs - this.#clock.nowMs())), TIMER_MAX_MS)
    this.#cancelTimer = this.#clock.setTimer(() => {
      // A timer may fire slightly early, and a delay too long for one timer is split into several.
      if (this.#clock.nowMs() < atMs) this.#armTimer(atMs)
      else void this.#beginFlight()
    }, delayMs)
  }

  #isBackingOff(nowMs: number): boolean {
    return this.#failures > 0 && this.#nextExchangeAtMs !== undefined && nowMs < this.#nextExchangeAtMs
  }

  #unavailable(): GatewayError {
    const waitMs = this.#nextExchangeAtMs === undefined ? 0 : this.#nextExchangeAtMs - this.#clock.nowMs()
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
    return new GatewayError('TOKEN_UNAVAILABLE', { retryAfterSeconds, cause: this.#lastError })
  }

  /** Reports an exchange; a listener that throws does not end the renewal. */
  #report(report: ExchangeReport): void {
    try {
      this.#onExchange?.(report)
    } catch {
      // The token and its timer are already set.
    }
  }
}
