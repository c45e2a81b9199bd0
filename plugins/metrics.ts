// Counts requests, operations and token exchanges, and serves the metrics on a second listener, not on the callers' port.
import type { EndedRequest, FastifyReply, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { createMetrics, type Metrics } from '../src/metrics.ts'
import { schemaController } from '../src/schema-compilers.ts'
import { isLoopback } from '../src/settings-checks.ts'

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics
  }
  interface FastifyRequest {
    /** The name of the stored operation that the request runs, if any. */
    storedOperationName: string | undefined
  }
}

/** Time limit for a request for metrics to arrive, in ms. */
const REQUEST_MAX_MS = 5_000
/** How often Node checks that limit, in ms. */
const CHECK_MS = 1_000
/** The maximum number of open connections to this listener. */
const CONNECTIONS_MAX = 100

/** Returns how an operation ended: `ok`, `graphql_error`, an error code, `upstream_error` or `aborted`. */
function outcomeOf(request: FastifyRequest, reply: FastifyReply): string {
  if (request.errorCode !== undefined) return request.errorCode
  // An event stream normally ends because its caller leaves.
  if (!reply.raw.writableFinished) return request.eventStream ? 'ok' : 'aborted'
  if (request.upstreamErrors) return 'graphql_error'
  return request.upstreamStatus !== undefined && request.upstreamStatus >= 400 ? 'upstream_error' : 'ok'
}

function observeRequest(metrics: Metrics, { request, reply, ms, config }: EndedRequest): void {
  const { caller, operation, storedOperationName, upstreamMs } = request
  // The duration of an event stream is up to its caller, so it says nothing about the service.
  if (request.eventStream === undefined)
    metrics.httpSeconds.observe({ route: config.url ?? 'none', method: request.method, status_code: reply.statusCode }, ms / 1000)
  if (operation)
    metrics.operations.inc({ kind: operation.kind, outcome: outcomeOf(request, reply), ...(caller && { caller: caller.label }) })
  if (storedOperationName !== undefined)
    metrics.storedOperations.inc({ operation: storedOperationName, outcome: outcomeOf(request, reply) })
  if (upstreamMs !== undefined) metrics.hasuraSeconds.observe(upstreamMs / 1000)
}

export default fp(
  async app => {
    const { HOST: host, METRICS_PORT: port } = app.config
    const metrics = createMetrics(() => app.tokenManager.status())
    metrics.countLoad({ requests: () => app.requestsInFlight(), queue: () => app.turns.waitingCount })
    app.decorate('metrics', metrics)
    app.decorateRequest('storedOperationName', undefined)
    app.onRequestEnd(ended => observeRequest(metrics, ended))
    app.onTokenExchange(({ reason, outcome, durationMs }) => {
      metrics.exchanges.inc({ reason, outcome })
      metrics.exchangeSeconds.observe(durationMs / 1000)
    })
    if (port === 0) return

    const listener = Fastify({
      schemaController,
      // Closing must not wait for a connection that has sent nothing.
      forceCloseConnections: true,
      requestTimeout: REQUEST_MAX_MS,
      http: { headersTimeout: REQUEST_MAX_MS, requestTimeout: REQUEST_MAX_MS, connectionsCheckingInterval: CHECK_MS }
    })
    listener.server.maxConnections = CONNECTIONS_MAX
    listener.addHook('onRequest', app.createHostCheck(isLoopback(host)))
    // One connection per scrape, so that none stays idle.
    listener.addHook('onSend', async (_, reply) => void reply.header('connection', 'close'))
    listener.get('/metrics', async (_, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()))
    app.addHook('onReady', async () => void (await listener.listen({ host, port })))
    app.addHook('onClose', () => listener.close())
  },
  { name: 'metrics', dependencies: ['config', 'requestEnd', 'requestLog', 'shutdown', 'cognitoAuth', 'host-check'] }
)
