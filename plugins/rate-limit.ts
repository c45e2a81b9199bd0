// Decorates the instance with the hook that counts requests, by caller or by address, here or in Redis.
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { rateLimitOf } from '../src/callers/caller.ts'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a request and answers `RATE_LIMITED` over the limit; undefined where there is none. */
    limitRate: onRequestAsyncHookHandler | undefined
  }
}

/** How long Redis may take to count, in ms; what takes longer is let through. */
const REDIS_TIMEOUT_MS = 250
/** How many callers and addresses are counted at once in memory. */
const COUNTED_MAX = 10_000

/** A connection to Redis that never keeps a request waiting: while it is gone, counting fails at once. */
async function connectRedis(app: FastifyInstance, url: string): Promise<Redis> {
  // Loaded only where it is asked for, since every start would pay for it.
  const ioredis = await import('ioredis')
  const redis = new ioredis.Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: REDIS_TIMEOUT_MS,
    retryStrategy: attempt => Math.min(attempt * 200, 5_000)
  })
  let isGone = false
  redis.on('error', (error: NodeJS.ErrnoException) => {
    if (!isGone) app.log.error({ code: error.code ?? error.name }, 'Redis is gone: the rate limit lets everything through')
    isGone = true
  })
  redis.on('ready', () => {
    if (isGone) app.log.info('Redis is back: the rate limit counts again')
    isGone = false
  })
  // A first connection that fails is tried again like any other, and was logged above.
  app.addHook('onReady', async () => void redis.connect().catch(() => {}))
  app.addHook('onClose', async () => redis.disconnect())
  return redis
}

/** A request that could not be counted is let through and counted as such. */
function countFailures(app: FastifyInstance, redis: Redis): void {
  type Callback = (error: Error | null, result?: unknown) => void
  const counting = redis as unknown as { rateLimit(...parameters: unknown[]): void }
  const count = counting.rateLimit.bind(redis)
  counting.rateLimit = (...parameters) => {
    const done = parameters.pop() as Callback
    count(...parameters, ((error, result) => {
      if (error) app.metrics.rateLimitFailures.inc()
      done(error, result)
    }) satisfies Callback)
  }
}

export default fp(
  async app => {
    const { RATE_LIMIT_PER_MINUTE: limit, RATE_LIMIT_REDIS_URL: redisUrl, CALLER_AUTH: auth } = app.config
    const isOn = limit > 0 || auth.has('api-key')
    app.decorate('limitRate', undefined)
    if (!isOn) return

    const limitFor = (request: FastifyRequest) => rateLimitOf(request.caller, limit)
    const redis = redisUrl === undefined ? undefined : await connectRedis(app, redisUrl.href)
    await app.register(rateLimit, {
      global: false,
      enableDraftSpec: true,
      timeWindow: 60_000,
      cache: COUNTED_MAX,
      ...(redis && { redis, nameSpace: 'cognito-hasura-gateway-' }),
      skipOnError: true,
      max: limitFor,
      allowList: request => limitFor(request) === 0,
      keyGenerator: request => (request.caller ? `${request.caller.kind} ${request.caller.name}` : `address ${normalizeIP(request.ip)}`),
      errorResponseBuilder: (_, { max, ttl }) => {
        const seconds = Math.ceil(ttl / 1000)
        return new GatewayError('RATE_LIMITED', {
          message: `Over ${max} requests a minute: come again in ${seconds} s.`,
          headers: { 'retry-after': String(seconds) }
        })
      }
    })
    if (redis) countFailures(app, redis)
    app.limitRate = app.rateLimit()
  },
  { name: 'rateLimit', dependencies: ['config', 'errors', 'metrics', 'callers'] }
)
