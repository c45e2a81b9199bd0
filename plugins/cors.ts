// Lets pages of the listed origins call the service from a browser; off by default.
import fp from 'fastify-plugin'

/** Request headers that a page may send, in addition to FORWARD_HEADERS. */
const ALLOWED_HEADERS = [
  'accept',
  'authorization',
  'content-type',
  'mcp-protocol-version',
  'traceparent',
  'tracestate',
  'x-api-key',
  'x-hasura-role',
  'x-request-id'
]
/** Response headers that a page may read, in addition to those that every page may read. */
const EXPOSED_HEADERS = [
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'warning',
  'www-authenticate',
  'x-hasura-query-cache-key',
  'x-hasura-query-family-cache-key',
  'x-request-id'
]
/** How long a browser may cache the answer to a preflight, in seconds. */
const PREFLIGHT_MAX_AGE_SECONDS = 600

export default fp(
  async app => {
    const origins = app.config.CORS_ORIGINS
    if (origins.size === 0) return
    await app.register(import('@fastify/cors'), {
      origin: (origin, done) => done(null, origin !== undefined && origins.has(origin)),
      methods: ['GET', 'POST'],
      allowedHeaders: [...ALLOWED_HEADERS, ...app.config.FORWARD_HEADERS],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_MAX_AGE_SECONDS,
      // With `true`, the plugin itself would answer an OPTIONS request that is not a preflight, not in the format of our errors.
      strictPreflight: false
    })
  },
  { name: 'cors', dependencies: ['config'] }
)
