// Caches answers of queries with `@cached`, in memory and in Redis, and sets the headers for HTTP caches.
import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest, OperationRequest } from 'fastify'
import fp from 'fastify-plugin'
import { AnswerCache, type Given } from '../src/answer-cache/answer-cache.ts'
import { answerKey } from '../src/answer-cache/answer-key.ts'
import type { KeptAnswer } from '../src/answer-cache/kept-answer.ts'
import { createMemoryStore } from '../src/answer-cache/memory-store.ts'
import type { RedisStore } from '../src/answer-cache/redis-store.ts'
import { systemClock } from '../src/clock.ts'
import { createCachedQueryFinder, readCacheWish } from '../src/graphql/cached-directive.ts'
import type { Operation } from '../src/graphql/document.ts'
import type { UpstreamAnswer } from '../src/hasura/hasura-client.ts'

declare module 'fastify' {
  /** A query whose answer may be cached. */
  interface CachedRequest {
    /** The request for Hasura: the query without `@cached` and the variables that only it uses. */
    wanted: OperationRequest
    key: string
    ttlSeconds: number
    refresh: boolean
  }
  interface FastifyInstance {
    /** Undefined if `ANSWER_CACHE_MAX_BYTES` is 0. */
    answerCache:
      | {
          /**
           * Finds `@cached` on a query; returns undefined if there is none.
           * @throws {GatewayError} `INVALID_REQUEST` if the directive or its arguments are invalid
           */
          find(request: FastifyRequest, wanted: OperationRequest, operation: Operation, takesGzip: boolean): CachedRequest | undefined
          /** Returns a cached answer or calls Hasura; either way in the form of an answer from Hasura. */
          answer(cached: CachedRequest, ask: () => Promise<UpstreamAnswer>, signal: AbortSignal): Promise<UpstreamAnswer>
        }
      | undefined
  }
  interface FastifyReply {
    /**
     * Sends a cached answer or calls Hasura for one; resolves when it is sent.
     * @param signal aborts when the caller leaves
     */
    answerFromCache(cached: CachedRequest, ask: () => Promise<UpstreamAnswer>, signal: AbortSignal): Promise<void>
  }
}

/** Returns the values of the forwarded headers, since Hasura's answer may depend on them. */
const forwardedValues = ({ headers }: FastifyRequest, names: readonly string[]) =>
  names.map(name => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  })

/** Connects to Redis. Gateways share answers only if they call the same Hasura with the same rights. */
async function connectRedis({ config, log }: FastifyInstance, url: URL): Promise<RedisStore> {
  const { GRAPHQL_ENDPOINT: endpoint, AWS_COGNITO_APP_CLIENT_ID: clientId, AWS_COGNITO_SCOPES: scopes } = config
  const { createRedisStore } = await import('../src/answer-cache/redis-store.ts')
  // Cognito's pre-token-generation Lambda may turn the metadata into claims.
  const metadata = JSON.stringify(config.AWS_COGNITO_CLIENT_METADATA ?? {})
  const rights = hash('sha256', [endpoint.href, clientId, scopes.join(' '), metadata].join('\0'), 'base64url').slice(0, 16)
  return createRedisStore({
    url: url.href,
    prefix: `cognito-hasura-gateway:answers:${rights}:`,
    clock: systemClock,
    onChange: fault => {
      if (fault === undefined) log.info('cached answers are shared through Redis')
      else log.error({ code: fault }, 'Redis failed: answers are cached only in memory')
    }
  })
}

/** Returns the value of `Cache-Status` (RFC 9211); `fwd` is `request` if `refresh: true` asked for a new answer. */
function cacheStatus(kind: Given<UpstreamAnswer>['kind'], refresh: boolean, leftSeconds: number): string {
  if (kind === 'hit') return `gateway; hit; ttl=${leftSeconds}`
  return `gateway; fwd=${refresh ? 'request' : 'uri-miss'}${kind === 'stored' ? '; stored' : ''}`
}

/** Whether the caller already has the answer (RFC 9110, section 13.1.2). */
const hasAlready = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.split(',').some(tag => ['*', etag].includes(tag.trim().replace(/^W\//, ''))) === true

/** Returns a cached answer in the form of an answer from Hasura. */
function asUpstreamAnswer({ body, contentType, isGzip }: KeptAnswer): UpstreamAnswer {
  const headers = new Map([['content-type', contentType]])
  if (isGzip) headers.set('content-encoding', 'gzip')
  return { status: 200, headers, head: body }
}

export default fp(
  async app => {
    const { ANSWER_CACHE_MAX_BYTES: maxBytes, ANSWER_CACHE_REDIS_URL: redisUrl, GRAPHQL_TIMEOUT_MS: waitMs } = app.config
    app.decorate('answerCache', undefined)
    if (maxBytes === 0) return

    const redis = redisUrl && (await connectRedis(app, redisUrl))
    app.addHook('onClose', async () => redis?.close())
    const cache = new AnswerCache({
      memory: createMemoryStore(maxBytes),
      redis,
      clock: systemClock,
      waitMs,
      onOutcome: outcome => app.metrics.answerCache.inc({ outcome })
    })
    const findCachedQuery = createCachedQueryFinder()
    const scope = app.config.CALLER_AUTH.size > 0 ? 'private' : 'public'

    app.answerCache = {
      async answer(cached, ask, signal) {
        const { key, ttlSeconds, refresh } = cached
        const given = await cache.give({ key, ttlSeconds, refresh, ask, signal })
        return given.kind === 'passed' ? given.answer : asUpstreamAnswer(given.kept)
      },
      find(request, wanted, operation, takesGzip) {
        const query = findCachedQuery(wanted.document, operation.name)
        if (query === undefined) return undefined
        const { ttlSeconds, refresh, variables } = readCacheWish(query, wanted.variables)
        const key = answerKey({
          fingerprint: query.fingerprint,
          operationName: operation.name,
          variables,
          role: request.hasuraRole,
          headers: forwardedValues(request, app.config.FORWARD_HEADERS),
          takesGzip
        })
        return { wanted: { ...wanted, document: query.document, variables }, key, ttlSeconds, refresh }
      }
    }

    /** Sets the headers of a cached answer; returns whether the caller already has it. */
    const setHeaders = (reply: FastifyReply, kept: KeptAnswer, isHit: boolean, leftSeconds: number): boolean => {
      const { method, headers, eventsFor } = reply.request
      if (isHit) reply.header('age', kept.ageSeconds(systemClock.nowMs()))
      if (method !== 'GET' || eventsFor === 'everything') return false
      reply.headers({ etag: kept.etag, 'cache-control': `${scope}, max-age=${leftSeconds}` })
      return hasAlready(headers['if-none-match'], kept.etag)
    }

    app.decorateReply('answerFromCache', async function (this: FastifyReply, cached, ask, signal) {
      const { key, ttlSeconds, refresh } = cached
      const given = await cache.give({ key, ttlSeconds, refresh, ask, signal })
      const kept = given.kind === 'passed' ? undefined : given.kept
      const leftSeconds = kept?.leftSeconds(systemClock.nowMs(), ttlSeconds) ?? 0
      this.header('cache-status', cacheStatus(given.kind, refresh, leftSeconds))
      if (kept && setHeaders(this, kept, given.kind === 'hit', leftSeconds)) return void (await this.code(304).send())
      await this.passAnswer(given.kind === 'passed' ? given.answer : asUpstreamAnswer(given.kept))
    })
  },
  { name: 'answerCache', dependencies: ['config', 'errors', 'callers', 'metrics', 'passAnswer'] }
)
