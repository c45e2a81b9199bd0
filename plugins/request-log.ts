// Writes one log line for each request when it ends, even if its caller left before the answer.
import type { EndedRequest, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { AnswerErrors } from '../src/graphql/answer-errors.ts'
import type { Operation } from '../src/graphql/document.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The operation that the request runs, once known. */
    operation: Operation | undefined
    /** The duration of the call to Hasura, retries included, in ms; undefined if there was none. */
    upstreamMs: number | undefined
    /** The status of Hasura's answer; the caller may get another, depending on its `Accept`. */
    upstreamStatus: number | undefined
    /** The errors in Hasura's answer; undefined if there are none. */
    upstreamErrors: AnswerErrors | undefined
  }
  interface FastifyContextConfig {
    /** Whether the route's requests are logged at debug, like those of probes; default false. */
    isQuiet?: boolean
  }
}

/** Rounds to two decimal places. */
const hundredths = (ms: number) => Math.round(ms * 100) / 100

/** A plain word. Any other role is logged only if it is allowed, since callers sometimes put keys into this header. */
const PLAIN_ROLE = /^[a-z_]{1,24}$/

/** Returns the members of the log line that describe a refused caller. */
function describeRefusal({ refusal, headers, server }: FastifyRequest) {
  const role = String(headers['x-hasura-role'] ?? '')
  const mayBeShown = PLAIN_ROLE.test(role) || server.config.HASURA_ALLOWED_ROLES.has(role)
  return { ...refusal, role: mayBeShown ? role : undefined }
}

/** Writes the log line of a request; its ID is a binding of the request's logger. */
function logRequest({ request, reply, ms, config }: EndedRequest): void {
  const { caller, operation, upstreamErrors, upstreamMs } = request
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
      hasuraCode: upstreamErrors && (upstreamErrors.code ?? 'unknown'),
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
    app.decorateRequest('upstreamErrors', undefined)
    app.onRequestEnd(logRequest)
  },
  { name: 'requestLog', dependencies: ['config', 'requestEnd', 'errors'] }
)
