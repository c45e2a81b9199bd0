// One log line a request, written when it has ended, also where its caller left before.
import type { EndedRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Operation } from '../src/graphql/document.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The operation that the request runs, once it is known. */
    operation: Operation | undefined
    /** How long Hasura took, retries included, in ms; undefined where it was not called or did not answer. */
    upstreamMs: number | undefined
    /** The status that Hasura answered with, before what the caller's Accept makes of it. */
    upstreamStatus: number | undefined
  }
  interface FastifyContextConfig {
    /** Whether the route's requests are logged at debug, as those of probes are. Default false. */
    isQuiet?: boolean
  }
}

function writeLine({ request, reply, ms, config }: EndedRequest): void {
  const { id, method, caller, operation, upstreamMs, errorCode } = request
  const line = {
    requestId: id,
    method,
    route: config.url,
    caller: caller?.name,
    operation: operation?.name,
    kind: operation?.kind,
    status: reply.statusCode,
    code: errorCode,
    ms: round(ms),
    upstreamMs: upstreamMs === undefined ? undefined : round(upstreamMs),
    aborted: reply.raw.writableFinished ? undefined : true
  }
  request.log[config.isQuiet ? 'debug' : 'info'](line, 'request')
}

const round = (ms: number) => Math.round(ms * 100) / 100

export default fp(
  async app => {
    app.decorateRequest('operation', undefined)
    app.decorateRequest('upstreamMs', undefined)
    app.decorateRequest('upstreamStatus', undefined)
    app.onRequestEnd(writeLine)
  },
  { name: 'requestLog', dependencies: ['requestEnd', 'errors'] }
)
