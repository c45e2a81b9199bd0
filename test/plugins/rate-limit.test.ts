// Requests are counted by caller or address, in memory or in Redis, and are not refused while Redis is down.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadSettings } from '../../src/settings.ts'
import { keysFile, sha256 } from '../support/caller-keys.ts'
import { freePort } from '../support/free-port.ts'
import { codeOf, environmentFor, gatewayFor, startGateway } from '../support/gateway.ts'
import { hasRedis, startRedis } from '../support/redis.ts'
import { watchLog } from '../support/watch-log.ts'

const QUERY = { query: '{ a }' }

t.test('a request over the limit gets 429 with Retry-After, before the body is read', async t => {
  const gateway = await gatewayFor(t, { settings: { RATE_LIMIT_PER_MINUTE: '2' } })
  const first = await gateway.post(QUERY)
  t.equal(first.headers.get('ratelimit-limit'), '2')
  t.equal(first.headers.get('ratelimit-remaining'), '1')
  t.equal((await gateway.post('not json')).status, 400, 'every request counts')
  const answer = await gateway.post('not json', { accept: 'text/html', 'x-hasura-role': 'admin' })
  t.equal(answer.status, 429)
  t.match(answer.headers.get('retry-after'), /^\d+$/)
  t.ok(Number(answer.headers.get('retry-after')) <= 60)
  t.equal(answer.headers.get('ratelimit-remaining'), '0')
  t.equal(await codeOf(answer), 'RATE_LIMITED')
  t.equal(gateway.hasura.received.length, 1)
  for (let n = 0; n < 5; n++) t.equal((await fetch(`${gateway.url}/health/ready`)).status, 200, 'probes do not count')
})

t.test('x-forwarded-for is trusted only from the load balancers in TRUST_PROXY', async t => {
  const counted = async (settings: Record<string, string>) => {
    const gateway = await gatewayFor(t, { settings: { RATE_LIMIT_PER_MINUTE: '1', ...settings } })
    const statuses = []
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1'])
      statuses.push((await gateway.post(QUERY, { 'x-forwarded-for': address })).status)
    return statuses
  }
  t.strictSame(await counted({}), [200, 429, 429])
  t.strictSame(await counted({ TRUST_PROXY: '10.0.0.0/8' }), [200, 429, 429])
  t.strictSame(await counted({ TRUST_PROXY: '10.0.0.0/8,127.0.0.1' }), [200, 200, 429])
})

t.test('a port in x-forwarded-for does not make a separate caller', async t => {
  const statuses = async (settings: Record<string, string>, addresses: string[]) => {
    const gateway = await gatewayFor(t, { settings: { RATE_LIMIT_PER_MINUTE: '1', ...settings } })
    const seen = []
    for (const address of addresses) seen.push((await gateway.post(QUERY, { 'x-forwarded-for': address })).status)
    return seen
  }
  const trusted = { TRUST_PROXY: '127.0.0.1,10.0.0.0/8' }
  t.strictSame(await statuses(trusted, ['7.7.7.7:123', '7.7.7.7:124', '7.7.7.7', '7.7.7.8:123']), [200, 429, 429, 200])
  t.strictSame(await statuses(trusted, ['[2001:db8::1]:1', '[2001:db8::2]:2', '2001:db8::3', '[2001:db8:1::]:1']), [200, 429, 429, 200])
  t.strictSame(await statuses(trusted, ['7.7.7.7, 10.0.0.1:443', '7.7.7.8, 10.0.0.1:444']), [200, 200], 'a proxy behind a port is believed')
  t.strictSame(await statuses(trusted, ['unknown', '_hidden', 'x'.repeat(99)]), [200, 429, 429], 'no address: that of the socket')
})

t.test('the addresses of one /64 are one caller, even without a load balancer', async t => {
  const settings = { HOST: '::', ALLOW_UNAUTHENTICATED: 'true', RATE_LIMIT_PER_MINUTE: '1' }
  const app = await buildApp(await loadSettings(environmentFor('http://127.0.0.1:9', 'http://127.0.0.1:9', settings)))
  t.teardown(() => app.close())
  const statuses = []
  for (const remoteAddress of ['2001:db8::1', '2001:db8::2', '2001:db8:1::1', '192.0.2.1', '::ffff:192.0.2.1'])
    statuses.push((await app.inject({ url: '/operations', remoteAddress })).statusCode)
  t.strictSame(statuses, [200, 429, 200, 200, 429])
})

t.test('each caller is counted separately, and unauthenticated requests by address', async t => {
  const path = join(t.testdir(), 'callers.json')
  writeFileSync(path, keysFile({ a: { rateLimitPerMinute: 1 }, b: { keySha256: [sha256('b-key'), sha256('b2-key')] } }))
  const gateway = await gatewayFor(t, { settings: { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path, RATE_LIMIT_PER_MINUTE: '2' } })
  const statuses = []
  for (const key of ['a', 'a', 'b', 'b2', 'b', 'x', 'y', 'z'])
    statuses.push((await gateway.post(QUERY, { 'x-api-key': `${key}-key` })).status)
  t.strictSame(statuses, [200, 429, 200, 200, 429, 401, 401, 429])
})

t.test('a caller has its own limit even if the settings have none', async t => {
  const path = join(t.testdir(), 'callers.json')
  writeFileSync(path, keysFile({ a: { rateLimitPerMinute: 1 }, b: {} }))
  const gateway = await gatewayFor(t, { settings: { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path } })
  const statuses = []
  for (const key of ['a', 'a', 'b', 'b', 'x', 'x']) statuses.push((await gateway.post(QUERY, { 'x-api-key': `${key}-key` })).status)
  t.strictSame(statuses, [200, 429, 200, 200, 401, 401])
})

const skip = hasRedis ? false : 'redis-server is not on this machine (Debian package redis-server)'

t.test('in Redis, replicas count together', { skip }, async t => {
  const redis = await startRedis(await freePort())
  t.teardown(() => redis.stop())
  const settings = { RATE_LIMIT_PER_MINUTE: '2', RATE_LIMIT_REDIS_URL: redis.url }
  const logs = [watchLog(), watchLog()]
  const replicas = await Promise.all(logs.map(({ logger }) => startGateway({ settings, logger })))
  t.teardown(() => Promise.all(replicas.map(replica => replica.close())))
  await Promise.all(logs.map(({ logged }) => logged('is counted in Redis')))
  let passed = 0
  for (const replica of replicas) {
    // On a busy machine Redis may count late, so more requests pass; the metric says how many.
    for (let tries = 0; tries < 20 && (await replica.post(QUERY))?.status === 200; tries++) passed += 1
    t.equal((await replica.post(QUERY))?.status, 429)
  }
  const uncounted = await Promise.all(replicas.map(async ({ app }) => (await app.metrics.rateLimitFailures.get()).values[0]?.value ?? 0))
  t.ok(passed <= 2 + uncounted.reduce((sum, count) => sum + count), `${passed} passed, ${uncounted} of them uncounted`)
})

t.test('while Redis is down, requests pass, the log and a metric say so, and counting resumes later', { skip }, async t => {
  const { logger, logged } = watchLog()
  const port = await freePort()
  const gateway = await gatewayFor(t, {
    settings: { RATE_LIMIT_PER_MINUTE: '1', RATE_LIMIT_REDIS_URL: `redis://127.0.0.1:${port}` },
    logger
  })
  await logged('Redis is unreachable')
  for (let n = 0; n < 3; n++) t.equal((await gateway.post(QUERY)).status, 200)
  t.match(await gateway.app.metrics.registry.metrics(), 'rate_limit_failures_total 3')
  const redis = await startRedis(port)
  t.teardown(() => redis.stop())
  await logged('is counted in Redis')
  t.equal((await gateway.post(QUERY)).status, 200)
  t.equal((await gateway.post(QUERY)).status, 429)
})
