// Every way in without a right, and each right narrowed and tried.
import { createHash } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { codeOf, type GatewayOptions, startGateway } from '../support/gateway.ts'

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex')
const QUERY = { query: '{ a }' }
const KEYS = {
  callers: [
    { name: 'web', keySha256: [sha256('web-key')] },
    { name: 'job', keySha256: [sha256('job-key')], roles: ['reader'], operations: ['query'] }
  ]
}

async function guarded(t: Test, options: GatewayOptions = {}) {
  const path = join(t.testdir(), 'callers.json')
  writeFileSync(path, JSON.stringify(KEYS))
  const settings = { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path, HASURA_ALLOWED_ROLES: 'reader,editor', ...options.settings }
  const gateway = await startGateway({ ...options, settings })
  t.teardown(() => gateway.close())
  return { ...gateway, path }
}

t.test('no valid credential: 401 with a challenge, before the body is looked at, and Hasura hears nothing', async t => {
  const { post, hasura } = await guarded(t)
  const requests: [string, Record<string, string>, RegExp][] = [
    ['none', {}, /^Bearer realm="graphql"$/],
    ['wrong', { 'x-api-key': 'wrong' }, /error="invalid_token"/],
    ['its hash', { 'x-api-key': sha256('web-key') }, /error="invalid_token"/],
    ['upper case', { 'x-api-key': 'WEB-KEY' }, /error="invalid_token"/],
    ['two in one', { 'x-api-key': 'web-key, web-key' }, /error="invalid_token"/],
    ['empty', { 'x-api-key': '' }, /^Bearer realm="graphql"$/],
    ['in another header', { 'x-auth-token': 'web-key', cookie: 'x-api-key=web-key' }, /^Bearer realm="graphql"$/],
    ['as Basic', { authorization: `Basic ${btoa('web-key:')}` }, /^Bearer realm="graphql"$/],
    ['a wrong key beside a right bearer', { 'x-api-key': 'wrong', authorization: 'Bearer web-key' }, /invalid_token/]
  ]
  for (const [title, headers, challenge] of requests) {
    const answer = await post('not json', { ...headers, 'x-hasura-role': 'admin', accept: 'text/html' })
    t.equal(answer.status, 401, title)
    t.match(answer.headers.get('www-authenticate'), challenge, title)
    t.equal(await codeOf(answer), 'UNAUTHENTICATED', title)
  }
  t.equal(hasura.received.length, 0)
})

t.test('a right key, in either header, and it does not go on', async t => {
  const { post, hasura } = await guarded(t)
  for (const headers of [{ 'x-api-key': 'web-key' }, { authorization: 'Bearer web-key' }, { authorization: 'bearer web-key' }]) {
    t.equal((await post(QUERY, headers as Record<string, string>)).status, 200)
  }
  for (const { rawHeaders } of hasura.received) t.notMatch(rawHeaders.join(' '), 'web-key')
})

t.test('health routes never ask, the documentation does', async t => {
  const { url } = await guarded(t, { settings: { DOCS_ENABLED: 'true' } })
  for (const path of ['/health/live', '/health/ready']) t.equal((await fetch(url + path)).status, 200, path)
  for (const path of ['/documentation', '/documentation/json', '/documentation/static/swagger-ui.css']) {
    t.equal((await fetch(url + path)).status, 401, path)
    t.equal((await fetch(url + path, { headers: { 'x-api-key': 'web-key' } })).status, 200, path)
  }
  const document = (await (await fetch(`${url}/documentation/json`, { headers: { 'x-api-key': 'web-key' } })).json()) as {
    security: object[]
    components: { securitySchemes: object }
  }
  t.strictSame(Object.keys(document.components.securitySchemes), ['apiKey', 'bearerKey'])
  t.strictSame(document.security, [{ apiKey: [] }, { bearerKey: [] }])
})

t.test("a caller's rights narrow the settings", async t => {
  const { post, hasura } = await guarded(t)
  const key = { 'x-api-key': 'job-key' }
  t.equal(await codeOf(await post({ query: 'mutation { a }' }, key)), 'OPERATION_NOT_ALLOWED')
  t.equal(await codeOf(await post(QUERY, { ...key, 'x-hasura-role': 'editor' })), 'ROLE_NOT_ALLOWED')
  t.equal(await codeOf(await post(QUERY, { ...key, 'x-hasura-role': 'admin' })), 'ROLE_NOT_ALLOWED')
  t.equal(hasura.received.length, 0)
  t.equal((await post(QUERY, { ...key, 'x-hasura-role': 'reader' })).status, 200)
  t.equal((await post({ query: 'mutation { a }' }, { 'x-api-key': 'web-key', 'x-hasura-role': 'editor' })).status, 200)
})

t.test('a right of the file can not widen the settings', async t => {
  const { post, path, hasura } = await guarded(t, { settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query', HASURA_ALLOWED_ROLES: 'editor' } })
  t.ok(path)
  t.equal(await codeOf(await post({ query: 'mutation { a }' }, { 'x-api-key': 'web-key' })), 'OPERATION_NOT_ALLOWED')
  t.equal(await codeOf(await post(QUERY, { 'x-api-key': 'job-key', 'x-hasura-role': 'reader' })), 'ROLE_NOT_ALLOWED')
  t.equal(hasura.received.length, 0)
})

t.test('the keys file is read again when it is replaced, and a broken version is refused', async t => {
  const lines: string[] = []
  let onLine = () => {}
  const logger = pino(
    { level: 'info' },
    {
      write(line) {
        lines.push(line)
        onLine()
      }
    }
  )
  const logged = async (text: string) => {
    while (!lines.some(line => line.includes(text))) await new Promise<void>(resolve => (onLine = resolve))
  }
  const { post, path } = await guarded(t, { logger })
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
  replace('{"callers":[{"name":"s3cret"')
  await logged('the previous one stays')
  t.equal((await post(QUERY, { 'x-api-key': 'web-key' })).status, 200)
  replace(JSON.stringify({ callers: [{ name: 'web', keySha256: [sha256('next-key')] }] }))
  await logged('was reloaded')
  t.equal((await post(QUERY, { 'x-api-key': 'web-key' })).status, 401)
  t.equal((await post(QUERY, { 'x-api-key': 'next-key' })).status, 200)
  t.notOk(lines.some(line => line.includes('s3cret') || line.includes('next-key')))
})

t.test('the name of the caller is in its log lines and metrics, its credential in none', async t => {
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: line => void lines.push(line) })
  const { post, app, hasura } = await guarded(t, { logger })
  await post(QUERY, { 'x-api-key': 'web-key' })
  await post(QUERY, { authorization: 'Bearer unknown-key' })
  await app.drain(60_000)
  const metrics = await app.metrics.registry.metrics()
  const requests = lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  t.match(requests, [
    { caller: 'web', status: 200 },
    { status: 401, code: 'UNAUTHENTICATED' }
  ])
  t.match(metrics, 'graphql_operations_total{kind="query",outcome="ok",caller="web"} 1')
  for (const text of [...lines, metrics, JSON.stringify(hasura.received)]) t.notMatch(text, /web-key|unknown-key/)
})
