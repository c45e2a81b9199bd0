// Decorates the instance with the hook that limits the rate of requests, by caller or by address, counted in memory or in Redis.
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { rateLimitOf } from '../src/callers/caller.ts'
import { GatewayError } from '../src/errors.ts'
import { createRedisClient } from '../src/redis.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a request and answers `RATE_LIMITED` over the limit; undefined if there is no limit. */
    limitRate: onRequestAsyncHookHandler | undefined
  }
}

/** Time limit for Redis to count a request, in ms; after that the request is let through. */
const REDIS_TIMEOUT_MS = 250
/** The most callers and addresses counted in memory. */
const COUNTED_MAX = 10_000

/** Connects to Redis in such a way that no request waits: without a connection, counting fails at once. */
async function connectRedis(app: FastifyInstance, url: string): Promise<Redis> {
  const redis = await createRedisClient(url, REDIS_TIMEOUT_MS)
  let isGone = false
  redis.on('error', (error: NodeJS.ErrnoException) => {
    if (!isGone) app.log.error({ code: error.code ?? error.name }, 'Redis is unreachable: requests pass without a rate limit')
    isGone = true
  })
  redis.on('ready', () => {
    app.log.info('the rate limit is counted in Redis')
    isGone = false
  })
  // ioredis retries a failed first connection like any other, and the listener above has logged it.
  app.addHook('onReady', async () => void redis.connect().catch(() => {}))
  app.addHook('onClose', async () => redis.disconnect())
  return redis
}

export default fp(
  async app => {
    const { RATE_LIMIT_PER_MINUTE: limit, RATE_LIMIT_REDIS_URL: redisUrl, CALLER_AUTH: auth } = app.config
    const isOn = limit > 0 || auth.has('api-key')
    app.decorate('limitRate', undefined)
    if (!isOn) return

    const limitFor = (request: FastifyRequest) => rateLimitOf(request.caller, limit)
    const redis = redisUrl === undefined ? undefined : await connectRedis(app, redisUrl.href)
    await app.register(import('@fastify/rate-limit'), {
      global: false,
      enableDraftSpec: true,
      timeWindow: 60_000,
      cache: COUNTED_MAX,
      ...(redis && { redis, nameSpace: 'cognito-hasura-gateway-' }),
      max: limitFor,
      allowList: request => limitFor(request) === 0,
      keyGenerator: request => request.callerIdentity,
      errorResponseBuilder: (_, { max, ttl }) => {
        const retryAfterSeconds = Math.ceil(ttl / 1000)
        return new GatewayError('RATE_LIMITED', {
          message: `More than ${max} requests per minute: try again in ${retryAfterSeconds} s.`,
          retryAfterSeconds
        })
      }
    })
    const count = app.rateLimit()
    app.limitRate = async function (request, reply) {
      try {
        await count.call(this, request, reply)
      } catch (error) {
        if (error instanceof GatewayError) throw error
        // Redis failed, so the request is let through without being counted.
        app.metrics.rateLimitFailures.inc()
      }
    }
  },
  { name: 'rateLimit', dependencies: ['config', 'errors', 'metrics', 'callers'] }
)
