// Decorates the instance with a second look at the rights of a caller whose answer lasts.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller } from '../src/callers/caller.ts'
import { systemClock } from '../src/clock.ts'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns why the caller of a subscription may no longer have it: `UNAUTHENTICATED`, `OPERATION_NOT_ALLOWED`, `ROLE_NOT_ALLOWED`. */
    findLostRights(request: FastifyRequest, reply: FastifyReply): Promise<GatewayError | undefined>
  }
}

/** What the checks of callers say of a request's credential at this moment; the request itself keeps its caller. */
async function identifyAgain(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
  const probe: FastifyRequest = Object.create(request, { caller: { value: undefined, writable: true } })
  await app.identifyCaller?.call(app, probe, reply)
  const refusal = await new Promise<unknown>(resolve => app.requireCaller?.call(app, probe, reply, resolve))
  return { caller: probe.caller, refusal }
}

function createRightsCheck(app: FastifyInstance): FastifyInstance['findLostRights'] {
  return async (request, reply) => {
    if (app.requireCaller === undefined || request.caller === undefined) return undefined
    // Where the keys to verify a token with can't be had, what is known of the caller holds.
    const { caller, refusal } = await identifyAgain(app, request, reply).catch(() => ({ caller: undefined, refusal: undefined }))
    if (refusal instanceof GatewayError && FINAL.has(refusal.code)) return refusal
    return faultOf(caller ?? request.caller, request.hasuraRole)
  }
}

/** What ends a stream: not that a caller cannot be identified for the moment. */
const FINAL: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'OPERATION_NOT_ALLOWED'])

function faultOf({ expiresAtSeconds, operations, roles }: Caller, role: string | undefined): GatewayError | undefined {
  // The tolerance for clocks that differ is for new requests; a stream has had its time.
  if (expiresAtSeconds !== undefined && expiresAtSeconds < systemClock.wallMs() / 1000) return new GatewayError('UNAUTHENTICATED')
  if (operations?.has('subscription') === false) return new GatewayError('OPERATION_NOT_ALLOWED')
  return role !== undefined && roles?.has(role) === false ? new GatewayError('ROLE_NOT_ALLOWED') : undefined
}

export default fp(async app => void app.decorate('findLostRights', createRightsCheck(app)), {
  name: 'lostRights',
  dependencies: ['callers']
})
