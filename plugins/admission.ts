// Admits operations as far as the service can carry them: turns for calls of Hasura, a budget for bodies, and what the process bears.
import { getHeapStatistics } from 'node:v8'
import type { FastifyRequest, onRequestHookHandler, preParsingHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { FairTurns, QUEUE_IS_FULL } from '../src/admission/fair-turns.ts'
import { HEAP_SHARE, Lasting, LOOP_DELAY_MS, Strain } from '../src/admission/strain.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Turns for calls of Hasura. */
    turns: FairTurns
    /**
     * Turns operations away while the process is near its limits.
     * @throws {GatewayError} `OVERLOADED`
     */
    admit: onRequestHookHandler
    /**
     * Sets memory aside for a body before it is read.
     * @throws {GatewayError} `OVERLOADED`
     */
    holdBody: preParsingHookHandler
    /** Gives back what a body turned out not to take, once it has been read: one of unannounced length counts as the largest until then. */
    shrinkBody(request: FastifyRequest, readBytes: number): void
  }
  interface FastifyRequest {
    /** What its body takes of `BODY_BUDGET_BYTES`, in bytes. */
    bodyBytes: number
  }
}

/** How often the process is looked at, in ms. */
const LOOK_EVERY_MS = 500
/** A bound that stays reached for longer makes the service unready, in ms. */
const LASTING_MS = 10_000
/** When a caller may try again, in s. */
const RETRY_AFTER_SECONDS = 1

const overloaded = (message: string) => new GatewayError('OVERLOADED', { message, retryAfterSeconds: RETRY_AFTER_SECONDS })

/** Something that the service has only so much of, and what it says when that runs out. */
type Bound = { readonly message: string; readonly isReached: () => boolean; readonly lasting: Lasting }

const createBound = (message: string, isReached: () => boolean): Bound => ({ message, isReached, lasting: new Lasting() })

/** How large a body may become: as large as it says, or as large as any may be where it does not say. */
function announcedBytes({ headers }: FastifyRequest, limitBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return limitBytes
  return Math.min(Number(headers['content-length'] ?? 0), limitBytes)
}

/** When the service refuses. */
export type AdmissionOptions = {
  /** How late the event loop may be, in ms; default {@link LOOP_DELAY_MS}. */
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
      createBound('The memory of the process is nearly used up.', () => heap.isStrained)
    ]
    const budget = createBound(
      'The request bodies at hand use up BODY_BUDGET_BYTES.',
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
    const look = (dueAtMs: number) => {
      const nowMs = clock.nowMs()
      const isBusy = app.requestsInFlight() > 0
      // What blocks the loop while nobody waits, as the start does, delays nobody.
      loop.sample(isBusy && wasBusy ? nowMs - dueAtMs : undefined)
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
      heap.sample(used / limit)
      for (const { lasting, isReached } of bounds) lasting.look(isReached(), nowMs)
      wasBusy = isBusy
      lookAgain(nowMs + LOOK_EVERY_MS)
    }
    let cancelTimer = () => {}
    const lookAgain = (dueAtMs: number) => {
      cancelTimer = clock.setTimer(() => look(dueAtMs), LOOK_EVERY_MS)
    }
    lookAgain(clock.nowMs() + LOOK_EVERY_MS)
    app.addHook('onClose', async () => cancelTimer())
    app.addReadiness(() => {
      const nowMs = clock.nowMs()
      return { blocking: bounds.filter(({ lasting }) => lasting.durationMs(nowMs) > LASTING_MS).map(({ message }) => message) }
    })
  },
  { name: 'admission', dependencies: ['config', 'errors', 'requestEnd', 'readiness', 'shutdown'] }
)
