// One log line a request, written when it has ended, even if its caller left before the answer.
import type { EndedRequest, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Operation } from '../src/graphql/document.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The operation that the request runs, once it is known. */
    operation: Operation | undefined
    /** How long the call of Hasura took, retries included, in ms; undefined where there was none. */
    upstreamMs: number | undefined
    /** The status that Hasura answered with, before what the caller's Accept makes of it. */
    upstreamStatus: number | undefined
  }
  interface FastifyContextConfig {
    /** Whether the route's requests are logged at debug, as those of probes are. Default false. */
    isQuiet?: boolean
  }
}

/** Two decimal places. */
const hundredths = (ms: number) => Math.round(ms * 100) / 100

/** A plain word. Any other role is shown only if it is listed: callers mistake the header, and put keys into it. */
const PLAIN_ROLE = /^[a-z_]{1,24}$/

/** Returns what the line of a request says of a caller who was turned away. */
function describeRefusal({ refusal, headers, server }: FastifyRequest) {
  const role = String(headers['x-hasura-role'] ?? '')
  const mayBeShown = PLAIN_ROLE.test(role) || server.config.HASURA_ALLOWED_ROLES.has(role)
  return { ...refusal, role: mayBeShown ? role : undefined }
}

/** Writes the line of a request; its id is a binding of its logger. */
function logRequest({ request, reply, ms, config }: EndedRequest): void {
  const { caller, operation, upstreamMs } = request
  const level = config.isQuiet && request.refusal === undefined ? 'debug' : 'info'
  request.log[level](
    {
      method: request.method,
      route: config.url,
      caller: caller?.name,
      operation: operation?.name,
      kind: operation?.kind,
      status: reply.statusCode,
      code: request.errorCode,
      fault: request.fault,
      ...(request.refusal !== undefined && describeRefusal(request)),
      ms: hundredths(ms),
      upstreamMs: upstreamMs === undefined ? undefined : hundredths(upstreamMs),
      events: request.eventStream?.events,
      aborted: reply.raw.writableFinished ? undefined : true
    },
    'request'
  )
}

export default fp(
  async app => {
    app.decorateRequest('operation', undefined)
    app.decorateRequest('upstreamMs', undefined)
    app.decorateRequest('upstreamStatus', undefined)
    app.onRequestEnd(logRequest)
  },
  { name: 'requestLog', dependencies: ['config', 'requestEnd', 'errors'] }
)
