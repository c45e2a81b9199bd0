// Decorates the instance with a check of whether the caller of an open event stream still has the rights for it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller } from '../src/callers/caller.ts'
import { systemClock } from '../src/clock.ts'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns `UNAUTHENTICATED`, `OPERATION_NOT_ALLOWED` or `ROLE_NOT_ALLOWED` if a subscription's caller has lost its rights. */
    findLostRights(request: FastifyRequest, reply: FastifyReply): Promise<GatewayError | undefined>
  }
}

/** Checks a request's credential again; the request itself keeps its caller. */
async function identifyAgain(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
  const probe: FastifyRequest = Object.create(request, { caller: { value: undefined, writable: true } })
  await app.identifyCaller?.call(app, probe, reply)
  const refusal = await new Promise<unknown>(resolve => app.requireCaller?.call(app, probe, reply, resolve))
  return { caller: probe.caller, refusal }
}

function createRightsCheck(app: FastifyInstance): FastifyInstance['findLostRights'] {
  return async (request, reply) => {
    if (app.requireCaller === undefined || request.caller === undefined) return undefined
    // If the keys to verify a token cannot be fetched, the known rights of the caller still apply.
    const { caller, refusal } = await identifyAgain(app, request, reply).catch(() => ({ caller: undefined, refusal: undefined }))
    if (refusal instanceof GatewayError && FINAL.has(refusal.code)) return refusal
    return faultOf(caller ?? request.caller, request.hasuraRole)
  }
}

/** The refusals that end a stream. A caller that cannot be identified at the moment keeps it. */
const FINAL: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'OPERATION_NOT_ALLOWED'])

function faultOf({ expiresAtSeconds, operations, roles }: Caller, role: string | undefined): GatewayError | undefined {
  // The tolerance for differing clocks applies only to new requests, not to open streams.
  if (expiresAtSeconds !== undefined && expiresAtSeconds < systemClock.wallMs() / 1000) return new GatewayError('UNAUTHENTICATED')
  if (operations?.has('subscription') === false) return new GatewayError('OPERATION_NOT_ALLOWED')
  return role !== undefined && roles?.has(role) === false ? new GatewayError('ROLE_NOT_ALLOWED') : undefined
}

export default fp(async app => void app.decorate('findLostRights', createRightsCheck(app)), {
  name: 'lostRights',
  dependencies: ['callers']
})
