// Caches answers, and lets one of several equal requests call the upstream for all. Independent of HTTP and of Hasura.
import { type Clock, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { readKeepable, type UpstreamAnswer } from './keepable.ts'
import { KeptAnswer } from './kept-answer.ts'
import type { MemoryStore } from './memory-store.ts'
import type { RedisStore } from './redis-store.ts'

/** How the cache served a request. `bypass` is a requested refresh; `stored` is reported in addition to a `miss` or `bypass`. */
export type CacheOutcome = 'hit' | 'miss' | 'bypass' | 'stored'

/** Options of {@link AnswerCache}. */
type AnswerCacheOptions = {
  memory: MemoryStore
  /** A store shared with other replicas; default: none. */
  redis?: RedisStore | undefined
  clock: Clock
  /** Time limit for waiting for the answer to another request, in ms. */
  waitMs: number
  onOutcome?: (outcome: CacheOutcome) => void
}

/** A request whose answer may be cached. */
export type Question<Answer extends UpstreamAnswer> = {
  /** Equal for requests with the same answer. */
  readonly key: string
  readonly ttlSeconds: number
  /** Whether to call the upstream even if an answer is cached. */
  readonly refresh: boolean
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal
  /** Calls the upstream. */
  ask(): Promise<Answer>
}

/** An answer: a cached one (`hit`), one that has just been cached (`stored`), or one that cannot be cached (`passed`). */
export type Given<Answer extends UpstreamAnswer> =
  | { readonly kind: 'hit' | 'stored'; readonly kept: KeptAnswer }
  | { readonly kind: 'passed'; readonly answer: Answer }

/** How a call for several requests ended: with a cached answer, with one that cannot be cached, or without one because its caller left. */
type FlightEnd = KeptAnswer | 'not kept' | 'abandoned'

/** A cache of answers. */
export class AnswerCache {
  readonly #options: AnswerCacheOptions
  /** The calls under way, by key. */
  readonly #flights = new Map<string, Promise<FlightEnd>>()

  constructor(options: AnswerCacheOptions) {
    this.#options = options
  }

  /**
   * Returns the answer to a request. Of several equal requests, one calls the upstream; if its answer cannot be cached, each makes its own
   * call.
   * @throws {GatewayError} `UPSTREAM_TIMEOUT` after `waitMs`, and any error of `ask`
   */
  async give<Answer extends UpstreamAnswer>(question: Question<Answer>): Promise<Given<Answer>> {
    const { key, refresh, signal } = question
    while (!refresh) {
      const kept = this.#find(question)
      if (kept) return this.#hit(kept)
      const flight = this.#flights.get(key)
      if (flight === undefined) break
      const end = await this.#wait(flight)
      signal.throwIfAborted()
      if (end instanceof KeptAnswer) return this.#hit(end)
      if (end === 'not kept') return this.#pass(await question.ask())
    }
    return this.#lead(question)
  }

  #find({ key, ttlSeconds }: { key: string; ttlSeconds: number }): KeptAnswer | undefined {
    const { memory, clock } = this.#options
    const kept = memory.get(key)
    if (kept === undefined) return undefined
    if (kept.leftSeconds(clock.nowMs(), ttlSeconds) > 0) return kept
    if (kept.leftSeconds(clock.nowMs(), kept.ttlSeconds) <= 0) memory.delete(key)
    return undefined
  }

  async #wait(flight: Promise<FlightEnd>): Promise<FlightEnd> {
    const end = await within(this.#options.clock, this.#options.waitMs, flight)
    if (end === undefined) throw new GatewayError('UPSTREAM_TIMEOUT')
    return end
  }

  /** Calls the upstream for all equal requests that arrive meanwhile. A refresh replaces an older call, whose answer is then not cached. */
  async #lead<Answer extends UpstreamAnswer>(question: Question<Answer>): Promise<Given<Answer>> {
    const { key, refresh, signal } = question
    const { promise, resolve } = Promise.withResolvers<FlightEnd>()
    this.#flights.set(key, promise)
    let end: FlightEnd = 'not kept'
    try {
      const shared = refresh ? undefined : await this.#findShared(question)
      if (shared) {
        end = shared
        return this.#hit(shared)
      }
      const answer = await question.ask()
      const kept = await this.#keep(question, answer, promise)
      if (kept === undefined) return this.#pass(answer, refresh)
      end = kept
      this.#options.onOutcome?.(refresh ? 'bypass' : 'miss')
      this.#options.onOutcome?.('stored')
      return { kind: 'stored', kept }
    } catch (error) {
      if (signal.aborted) end = 'abandoned'
      throw error
    } finally {
      if (this.#flights.get(key) === promise) this.#flights.delete(key)
      resolve(end)
    }
  }

  async #findShared({ key, ttlSeconds }: { key: string; ttlSeconds: number }): Promise<KeptAnswer | undefined> {
    const { redis, memory, clock } = this.#options
    const shared = await redis?.get(key)
    if (shared === undefined || shared.leftSeconds(clock.nowMs(), ttlSeconds) <= 0) return undefined
    memory.set(key, shared)
    return shared
  }

  async #keep({ key, ttlSeconds }: Question<UpstreamAnswer>, answer: UpstreamAnswer, flight: Promise<FlightEnd>) {
    const { memory, redis, clock } = this.#options
    const body = await readKeepable(answer)
    if (body === undefined) return undefined
    const { headers } = answer
    const kind = { contentType: headers.get('content-type') ?? 'application/json', isGzip: headers.has('content-encoding') }
    const kept = new KeptAnswer(body, kind, ttlSeconds, clock.nowMs())
    if (this.#flights.get(key) === flight) {
      memory.set(key, kept)
      redis?.set(key, kept)
    }
    return kept
  }

  #hit(kept: KeptAnswer): { kind: 'hit'; kept: KeptAnswer } {
    this.#options.onOutcome?.('hit')
    return { kind: 'hit', kept }
  }

  #pass<Answer>(answer: Answer, refresh = false): { kind: 'passed'; answer: Answer } {
    this.#options.onOutcome?.(refresh ? 'bypass' : 'miss')
    return { kind: 'passed', answer }
  }
}
