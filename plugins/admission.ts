// Refuses work beyond the limits of the service: turns for calls to Hasura, a memory budget for bodies, event loop delay and heap.
import { getHeapStatistics } from 'node:v8'
import type { FastifyRequest, onRequestHookHandler, preParsingHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { FairTurns, QUEUE_IS_FULL } from '../src/admission/fair-turns.ts'
import { HEAP_SHARE, Lasting, LOOP_DELAY_MS, Strain } from '../src/admission/strain.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Turns for calls to Hasura. */
    turns: FairTurns
    /**
     * Refuses operations while the event loop is late or the heap nearly full.
     * @throws {GatewayError} `OVERLOADED`
     */
    admit: onRequestHookHandler
    /**
     * Reserves part of `BODY_BUDGET_BYTES` for a body before it is read.
     * @throws {GatewayError} `OVERLOADED`
     */
    holdBody: preParsingHookHandler
    /** Reduces the reservation to the actual size of a body once it has been read; until then, unknown length counts as the maximum. */
    shrinkBody(request: FastifyRequest, readBytes: number): void
  }
  interface FastifyRequest {
    /** The part of `BODY_BUDGET_BYTES` reserved for the body, in bytes. */
    bodyBytes: number
  }
}

/** How often the process is sampled, in ms. */
const SAMPLE_EVERY_MS = 500
/** How long a limit may stay reached before the service becomes unready, in ms. */
const LASTING_MS = 10_000
/** The `Retry-After` of a refused request, in seconds. */
const RETRY_AFTER_SECONDS = 1

const overloaded = (message: string) => new GatewayError('OVERLOADED', { message, retryAfterSeconds: RETRY_AFTER_SECONDS })

/** A limit: the message when it is reached, and for how long it has been. */
type Bound = { readonly message: string; readonly isReached: () => boolean; readonly lasting: Lasting }

const createBound = (message: string, isReached: () => boolean): Bound => ({ message, isReached, lasting: new Lasting() })

/** Returns the size that a body announces, at most `limitBytes`; also `limitBytes` if its length is unknown. */
function announcedBytes({ headers }: FastifyRequest, limitBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return limitBytes
  return Math.min(Number(headers['content-length'] ?? 0), limitBytes)
}

/** Options of this plugin. */
export type AdmissionOptions = {
  /** The event loop delay above which operations are refused, in ms; default that of {@link LOOP_DELAY_MS}. */
  maxLoopDelayMs?: number
  /** Default: this machine's clock. */
  clock?: Clock
}

export default fp<AdmissionOptions>(
  async (app, { maxLoopDelayMs = LOOP_DELAY_MS.refuseAbove, clock = systemClock }) => {
    const { BODY_BUDGET_BYTES: budgetBytes, BODY_LIMIT_BYTES: limitBytes, GRAPHQL_QUEUE: waitingMax } = app.config
    const turns = new FairTurns({ atOnce: app.config.GRAPHQL_CONNECTIONS, waitingMax }, clock)
    const loop = new Strain({ ...LOOP_DELAY_MS, refuseAbove: maxLoopDelayMs })
    const heap = new Strain(HEAP_SHARE)
    let heldBytes = 0

    const strains = [
      createBound('The event loop is more than a second late.', () => loop.isStrained),
      createBound('The heap of the process is nearly full.', () => heap.isStrained)
    ]
    const budget = createBound(
      'The request bodies in memory use up BODY_BUDGET_BYTES.',
      () => heldBytes + Math.min(limitBytes, budgetBytes) > budgetBytes
    )
    const queue = createBound(QUEUE_IS_FULL, () => turns.waitingCount >= Math.max(waitingMax, 1))
    const bounds = [...strains, budget, queue]

    app.decorate('turns', turns)
    app.decorateRequest('bodyBytes', 0)
    app.onRequestEnd(({ request }) => {
      heldBytes -= request.bodyBytes
    })
    app.decorate('admit', (_request, _reply, done) => {
      const reached = strains.find(({ isReached }) => isReached())
      done(reached && overloaded(reached.message))
    })
    app.decorate('holdBody', (request, _reply, payload, done) => {
      const bytes = request.method === 'POST' ? announcedBytes(request, limitBytes) : 0
      if (heldBytes + bytes > budgetBytes) return done(overloaded(budget.message))
      request.bodyBytes = bytes
      heldBytes += bytes
      done(null, payload)
    })

    app.decorate('shrinkBody', (request: FastifyRequest, readBytes: number) => {
      const unusedBytes = Math.max(0, request.bodyBytes - readBytes)
      request.bodyBytes -= unusedBytes
      heldBytes -= unusedBytes
    })

    let wasBusy = false
    const sample = (dueAtMs: number) => {
      const nowMs = clock.nowMs()
      const isBusy = app.requestsInFlight() > 0
      // A blocked loop without requests in progress, as during the start, delays nobody.
      loop.sample(isBusy && wasBusy ? nowMs - dueAtMs : undefined)
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
      heap.sample(used / limit)
      for (const { lasting, isReached } of bounds) lasting.look(isReached(), nowMs)
      wasBusy = isBusy
      sampleAgain(nowMs + SAMPLE_EVERY_MS)
    }
    let cancelTimer = () => {}
    const sampleAgain = (dueAtMs: number) => {
      cancelTimer = clock.setTimer(() => sample(dueAtMs), SAMPLE_EVERY_MS)
    }
    sampleAgain(clock.nowMs() + SAMPLE_EVERY_MS)
    app.addHook('onClose', async () => cancelTimer())
    app.addReadiness(() => {
      const nowMs = clock.nowMs()
      return { blocking: bounds.filter(({ lasting }) => lasting.durationMs(nowMs) > LASTING_MS).map(({ message }) => message) }
    })
  },
  { name: 'admission', dependencies: ['config', 'errors', 'requestEnd', 'readiness', 'shutdown'] }
)
