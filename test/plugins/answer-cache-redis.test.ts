// Replicas with the same rights share cached answers in Redis, and work without it.
import t, { type Test } from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { freePort } from '../support/free-port.ts'
import { type Gateway, gatewayFor } from '../support/gateway.ts'
import { hasRedis, startRedis } from '../support/redis.ts'

const skip = hasRedis ? false : 'redis-server is not installed'
/** How many answers are tried: on a busy machine, Redis may take longer than 100 ms. */
const TRIES = 50

/** A gateway; all share one Hasura, whose answers name the caller. */
async function replica(t: Test, redisUrl: string, hasura: string, settings: Record<string, string> = {}) {
  const gateway = await gatewayFor(t, { settings: { ANSWER_CACHE_REDIS_URL: redisUrl, GRAPHQL_ENDPOINT: hasura, ...settings } })
  return gateway
}

/** Whether an answer that one gateway caches is a hit at another. */
async function isShared(first: Gateway, second: Gateway): Promise<boolean> {
  for (let n = 0; n < TRIES; n++) {
    const query = { query: `query @cached { a${n} }` }
    const text = await (await first.post(query)).text()
    const answer = await second.post(query)
    if (answer.headers.get('cache-status')?.startsWith('gateway; hit')) return (await answer.text()) === text
  }
  return false
}

t.test('replicas share answers, but not with a gateway that has other rights', { skip }, async t => {
  const redis = await startRedis(await freePort())
  t.teardown(() => redis.stop())
  const { hasura } = await replica(t, redis.url, 'http://127.0.0.1:1/unused')
  hasura.answer = (response, _, count) => sendJson(response, `{"data":{"count":${count}}}`)
  const first = await replica(t, redis.url, hasura.url)
  t.equal(await isShared(first, await replica(t, redis.url, hasura.url)), true)
  for (const rights of [{ AWS_COGNITO_SCOPES: 'admin' }, { AWS_COGNITO_CLIENT_METADATA: '{"tenant":"b"}' }])
    t.equal(await isShared(first, await replica(t, redis.url, hasura.url, rights)), false, JSON.stringify(rights))
})

t.test('without Redis the service answers, and caches answers in its own memory', { skip }, async t => {
  const port = await freePort()
  const redis = await startRedis(port)
  const gateway = await gatewayFor(t, { settings: { ANSWER_CACHE_REDIS_URL: `redis://127.0.0.1:${port}` } })
  t.equal((await gateway.post({ query: 'query @cached { a }' })).status, 200)
  await redis.stop()
  const query = { query: 'query @cached { b }' }
  t.equal((await gateway.post(query)).headers.get('cache-status'), 'gateway; fwd=uri-miss; stored')
  t.equal((await gateway.post(query)).headers.get('cache-status'), 'gateway; hit; ttl=60')
})
