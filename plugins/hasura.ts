// Decorates the instance with the client of Hasura; its connections are cut when the service has answered its last request.
import fp from 'fastify-plugin'
import { createHasuraClient, type HasuraClient } from '../src/hasura/hasura-client.ts'
import { proxyFor } from '../src/proxy.ts'

declare module 'fastify' {
  interface FastifyInstance {
    hasura: HasuraClient
  }
}

export default fp(
  async app => {
    const { config, log, metrics, tokenManager, traceCall } = app
    const hasura = createHasuraClient({
      endpoint: config.GRAPHQL_ENDPOINT.href,
      tokenHeader: config.GRAPHQL_TOKEN_HEADER,
      timeoutMs: config.GRAPHQL_TIMEOUT_MS,
      connections: config.GRAPHQL_CONNECTIONS,
      proxy: proxyFor(config.GRAPHQL_ENDPOINT, config),
      tokens: tokenManager,
      traceCall,
      onRetry: reason => metrics.retries.inc({ reason }),
      onRefusal: ({ reason, message }) => {
        metrics.rejections.inc({ reason })
        log.warn({ reason }, `Hasura refused the token: ${message}`)
      }
    })
    app.decorate('hasura', hasura)
    app.addHook('onClose', async () => hasura.close())
  },
  { name: 'hasura', dependencies: ['config', 'cognitoAuth', 'metrics', 'tracing'] }
)
