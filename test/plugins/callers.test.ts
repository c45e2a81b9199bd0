// Every attempt to call without a right, and every right that can be narrowed.
import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keysFile, sha256 } from '../support/caller-keys.ts'
import { codeOf, type GatewayOptions, gatewayFor } from '../support/gateway.ts'
import { watchLog } from '../support/watch-log.ts'

const QUERY = { query: '{ a }' }
const KEYS = keysFile({ web: {}, job: { roles: ['reader'], operations: ['query'] } })

async function guarded(t: Test, { keys = KEYS, ...options }: GatewayOptions & { keys?: string } = {}) {
  const path = join(t.testdir(), 'callers.json')
  writeFileSync(path, keys)
  const settings = { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path, HASURA_ALLOWED_ROLES: 'reader,editor', ...options.settings }
  const gateway = await gatewayFor(t, { ...options, settings })
  return { ...gateway, path }
}

t.test('without a valid credential: 401 with a challenge before the body is read, and Hasura receives nothing', async t => {
  const { post, hasura } = await guarded(t)
  const requests: [string, Record<string, string>, RegExp][] = [
    ['none', {}, /^Bearer realm="graphql"$/],
    ['wrong', { 'x-api-key': 'wrong' }, /error="invalid_token"/],
    ['its hash', { 'x-api-key': sha256('web-key') }, /error="invalid_token"/],
    ['upper case', { 'x-api-key': 'WEB-KEY' }, /error="invalid_token"/],
    ['two in one', { 'x-api-key': 'web-key, web-key' }, /error="invalid_token"/],
    ['empty', { 'x-api-key': '' }, /^Bearer realm="graphql"$/],
    ['in another header', { 'x-auth-token': 'web-key', cookie: 'x-api-key=web-key' }, /^Bearer realm="graphql"$/],
    ['as the user name of Basic', { authorization: `Basic ${btoa('web-key:')}` }, /^Bearer realm="graphql"$/],
    ['wrong, by Basic', { authorization: `Basic ${btoa('web:wrong')}` }, /error="invalid_token"/],
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

t.test('a valid key in either header passes, and is not forwarded', async t => {
  const { post, hasura } = await guarded(t)
  for (const headers of [{ 'x-api-key': 'web-key' }, { authorization: 'Bearer web-key' }, { authorization: 'bearer web-key' }]) {
    t.equal((await post(QUERY, headers as Record<string, string>)).status, 200)
  }
  for (const { rawHeaders } of hasura.received) t.notMatch(rawHeaders.join(' '), 'web-key')
})

t.test('health routes never ask for a credential, the documentation does', async t => {
  const { url } = await guarded(t, { settings: { DOCS_ENABLED: 'true' } })
  for (const path of ['/health/live', '/health/ready']) t.equal((await fetch(url + path)).status, 200, path)
  for (const path of ['/documentation', '/documentation/json', '/documentation/static/swagger-ui.css']) {
    t.equal((await fetch(url + path)).status, 401, path)
    const answer = await fetch(url + path, { headers: { 'x-api-key': 'web-key' } })
    t.equal(answer.status, 200, path)
    // The service cannot close while an answer waits to be read.
    await answer.arrayBuffer()
  }
  const document = (await (await fetch(`${url}/documentation/json`, { headers: { 'x-api-key': 'web-key' } })).json()) as {
    security: object[]
    components: { securitySchemes: object }
  }
  t.strictSame(Object.keys(document.components.securitySchemes), ['apiKey', 'bearerKey', 'basicKey'])
  t.strictSame(document.security, [{ apiKey: [] }, { bearerKey: [] }, { basicKey: [] }])
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

t.test('a right in the file cannot widen the settings', async t => {
  const { post, path, hasura } = await guarded(t, { settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query', HASURA_ALLOWED_ROLES: 'editor' } })
  t.ok(path)
  t.equal(await codeOf(await post({ query: 'mutation { a }' }, { 'x-api-key': 'web-key' })), 'OPERATION_NOT_ALLOWED')
  t.equal(await codeOf(await post(QUERY, { 'x-api-key': 'job-key', 'x-hasura-role': 'reader' })), 'ROLE_NOT_ALLOWED')
  t.equal(hasura.received.length, 0)
})

t.test('a key works with HTTP Basic and any user name on every route; only pages send a Basic challenge', async t => {
  const { post, url, hasura } = await guarded(t, { settings: { DOCS_ENABLED: 'true' } })
  const basic = { authorization: `Basic ${btoa('ada:web-key')}` }
  for (const path of ['/', '/documentation', '/documentation/json', '/graphiql']) {
    const asked = await fetch(url + path)
    t.equal(asked.status, 401, path)
    t.equal(asked.headers.get('www-authenticate'), 'Basic realm="graphql", charset="UTF-8"', path)
    t.equal((await fetch(url + path, { headers: { authorization: `Basic ${btoa('ada:wrong')}` } })).status, 401, path)
    t.equal((await fetch(url + path, { headers: basic })).status, 200, path)
  }
  for (const path of ['/operations', '/execute-graphql?query={a}']) {
    t.match((await fetch(url + path)).headers.get('www-authenticate'), /^Bearer /, path)
    t.equal((await fetch(url + path, { headers: basic })).status, 200, path)
  }
  t.equal((await post(QUERY, basic)).status, 200)
  t.notMatch(JSON.stringify(hasura.received), /web-key|YWRhOndlYi1rZXk/)
})

t.test('a caller that names no role gets the role in the file', async t => {
  const { post, hasura } = await guarded(t, { keys: keysFile({ web: {}, job: { role: 'reader' } }) })
  const roles = async (headers: Record<string, string>) => {
    t.equal((await post(QUERY, headers)).status, 200)
    return hasura.received.at(-1)?.headers['x-hasura-role']
  }
  t.equal(await roles({ 'x-api-key': 'job-key' }), 'reader')
  t.equal(await roles({ 'x-api-key': 'job-key', 'x-hasura-role': 'editor' }), 'editor', 'its own choice goes first')
  t.equal(await roles({ 'x-api-key': 'web-key' }), undefined)
})

t.test('each refusal is one line at info that says why and shows no credential', async t => {
  const { logger, lines, entries } = watchLog()
  const { post, url, app } = await guarded(t, { logger, settings: { DOCS_ENABLED: 'true' } })
  await post(QUERY, { 'x-hasura-role': 'editor' })
  await post(QUERY, { 'x-api-key': 'wr0ng-key', 'x-hasura-role': 'admin' })
  await post(QUERY, { authorization: `Basic ${btoa('ada:wr0ng-key')}` })
  await post(QUERY, { 'x-api-key': 'job-key', 'x-hasura-role': 'wr0ng-key' })
  await fetch(`${url}/graphiql`)
  await app.drain(60_000)
  const requests = entries().filter(({ requestId }) => requestId !== undefined)
  const refused = requests.filter(({ reason }) => reason !== undefined)
  t.match(refused, [
    { level: 30, code: 'UNAUTHENTICATED', reason: 'no credential', address: '127.0.0.1', role: 'editor' },
    { level: 30, code: 'UNAUTHENTICATED', reason: 'unknown key', address: '127.0.0.1', role: 'admin' },
    { level: 30, code: 'UNAUTHENTICATED', reason: 'unknown key', address: '127.0.0.1' },
    { level: 30, code: 'ROLE_NOT_ALLOWED', reason: 'the role is not allowed', caller: 'job' },
    { level: 30, code: 'UNAUTHENTICATED', reason: 'no credential', route: '/graphiql' }
  ])
  t.equal(refused.length, 5)
  t.equal(requests.length, 5, 'there is no second line')
  t.notMatch(lines.join(''), /wr0ng-key|d3Iwbmcta2V5|job-key/)
})

t.test('a wrong key costs the same whether the file contains 10 callers or 100,000', async t => {
  const manyCallers = (count: number) => keysFile(Object.fromEntries(Array.from({ length: count }, (_, n) => [`c${n}`, {}])))
  const folder = t.testdir({ 'few.json': manyCallers(10), 'many.json': manyCallers(100_000) })
  const start = (name: string) => gatewayFor(t, { settings: { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: join(folder, name) } })
  const [few, many] = [await start('few.json'), await start('many.json')]
  /** The CPU time of requests with unknown keys, in ms. */
  const cpuOfGuesses = async ({ post }: typeof few, count: number) => {
    const before = process.cpuUsage()
    for (let n = 0; n < count; n++) t.equal((await post(QUERY, { 'x-api-key': `guess-${n}` })).status, 401)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  t.equal((await many.post(QUERY, { 'x-api-key': 'c99999-key' })).status, 200)
  for (const gateway of [few, many]) await cpuOfGuesses(gateway, 50)
  const cpu = { few: await cpuOfGuesses(few, 100), many: await cpuOfGuesses(many, 100) }
  t.ok(cpu.many < 3 * cpu.few, JSON.stringify(cpu))
})

t.test('the keys file is read again when it is replaced; an invalid version is refused, and readiness says so', async t => {
  const { logger, lines, logged } = watchLog()
  const { post, path, url } = await guarded(t, { logger })
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
  const readiness = async () => {
    const answer = await fetch(`${url}/health/ready`)
    t.equal(answer.status, 200)
    return ((await answer.json()) as { reasons: string[] }).reasons
  }
  t.strictSame(await readiness(), [])
  replace('{"callers":[{"name":"s3cret"')
  await logged('the previous one stays')
  t.equal((await post(QUERY, { 'x-api-key': 'web-key' })).status, 200)
  t.match(await readiness(), [/CALLER_KEYS_FILE was rejected.*it is not JSON/])
  replace(keysFile({ web: { keySha256: [sha256('next-key')] } }))
  await logged('was reloaded')
  t.strictSame(await readiness(), [])
  t.equal((await post(QUERY, { 'x-api-key': 'web-key' })).status, 401)
  t.equal((await post(QUERY, { 'x-api-key': 'next-key' })).status, 200)
  t.notOk(lines.some(line => line.includes('s3cret') || line.includes('next-key')))
})

t.test('a version with a role that the settings do not allow is invalid', async t => {
  const { logger, logged } = watchLog()
  const { post, path, url } = await guarded(t, { logger })
  writeFileSync(path, keysFile({ web: { role: 'admin' } }))
  await logged('the previous one stays')
  t.match(await (await fetch(`${url}/health/ready`)).text(), /callers\/0\/role: must be one of HASURA_ALLOWED_ROLES/)
  t.equal((await post(QUERY, { 'x-api-key': 'web-key' })).status, 200)
})

t.test('a file that every user may write to causes a warning, at start and when it becomes writable', async t => {
  const { logger, lines, logged } = watchLog()
  const { path } = await guarded(t, { logger })
  t.notMatch(lines.join(''), 'chmod')
  chmodSync(path, 0o646)
  await logged('chmod o-w')
  const again = watchLog()
  await gatewayFor(t, { logger: again.logger, settings: { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path } })
  t.match(
    again.entries().filter(({ msg }) => msg.includes('CALLER_KEYS_FILE')),
    [{ level: 40, msg: /is writable by every user/ }]
  )
})

t.test('log lines and metrics contain the name of the caller, but never its credential', async t => {
  const { logger, lines, entries } = watchLog('trace')
  const { post, app, hasura } = await guarded(t, { logger })
  await post(QUERY, { 'x-api-key': 'web-key' })
  await post(QUERY, { authorization: 'Bearer unknown-key' })
  await app.drain(60_000)
  const metrics = await app.metrics.registry.metrics()
  const requests = entries().filter(({ msg }) => msg === 'request')
  t.match(requests, [
    { caller: 'web', status: 200 },
    { status: 401, code: 'UNAUTHENTICATED' }
  ])
  t.match(metrics, 'graphql_operations_total{kind="query",outcome="ok",caller="web"} 1')
  for (const text of [...lines, metrics, JSON.stringify(hasura.received)]) t.notMatch(text, /web-key|unknown-key/)
})
