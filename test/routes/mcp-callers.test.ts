// A tool runs with the caller's rights, rate limit and turn, and is logged and counted like any other operation.
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { operationsSent, schemaHasCome, tellsSchema } from '../stored-operations/fixtures.ts'
import { keysFile } from '../support/caller-keys.ts'
import { sendJson } from '../support/fake-server.ts'
import { codeOf, type GatewayOptions, gatewayFor } from '../support/gateway.ts'
import { connect, postMessage } from '../support/mcp-client.ts'
import { watchLog } from '../support/watch-log.ts'

const KEYS = keysFile({ web: {}, reader: { operations: ['query'], roles: ['viewer'] }, slow: { rateLimitPerMinute: 4 } })
const FILES = {
  'add.graphql': 'mutation Add($user: user_insert!) { add(user: $user) { id } }',
  'me.graphql': 'query Me { me { id } }'
}

async function start(t: Test, { settings, ...options }: GatewayOptions = {}, isGuarded = false) {
  const folder = t.testdir({ operations: FILES, 'callers.json': KEYS })
  const keys = isGuarded && { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: join(folder, 'callers.json') }
  const { logger, entries } = watchLog()
  const gateway = await gatewayFor(t, {
    hasura: tellsSchema(response => sendJson(response, '{"data":{"me":{"id":"1"}}}')),
    logger,
    ...options,
    settings: {
      MCP_ENABLED: 'true',
      OPERATIONS_DIR: join(folder, 'operations'),
      HASURA_ALLOWED_ROLES: 'viewer,editor',
      ...keys,
      ...settings
    }
  })
  await schemaHasCome(gateway)
  return { ...gateway, entries, sent: () => operationsSent(gateway) }
}

const guarded = (t: Test) => start(t, {}, true)

const callOf = (name: string, args: object = {}) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } })

t.test('a request without a credential is refused before the body is read', async t => {
  const { url, sent } = await guarded(t)
  const answer = await postMessage(url, 'no message', { accept: 'text/html' })
  t.equal(answer.status, 401)
  t.equal(await codeOf(answer), 'UNAUTHENTICATED')
  t.match(answer.headers.get('www-authenticate'), /^Bearer/)
  await t.rejects(connect(t, url), /401|nauthorized|credential/)
  t.strictSame(sent(), [])
})

t.test('a caller sees and runs what its rights allow, and nothing else', async t => {
  const { url, sent, hasura } = await guarded(t)
  const client = await connect(t, url, { 'x-api-key': 'reader-key', 'x-hasura-role': 'viewer' })
  t.strictSame(
    (await client.listTools()).tools.map(({ name }) => name),
    ['me']
  )
  const refused = await client.callTool({ name: 'add', arguments: { user: { name: 'a' } } })
  t.equal(refused.isError, true)
  t.match(refused.structuredContent, { errors: [{ extensions: { code: 'OPERATION_NOT_ALLOWED' } }] })
  t.strictSame(sent(), [])
  t.equal((await client.callTool({ name: 'me' })).isError, false)
  t.equal(hasura.received.at(-1)?.headers['x-hasura-role'], 'viewer')
  t.equal(hasura.received.at(-1)?.headers['x-api-key'], undefined)
  t.equal((await postMessage(url, callOf('me'), { 'x-api-key': 'reader-key', 'x-hasura-role': 'editor' })).status, 403)
  t.strictSame(
    (await (await connect(t, url, { 'x-api-key': 'web-key' })).listTools()).tools.map(({ name }) => name),
    ['add', 'me']
  )
})

t.test('every message counts towards the rate limit', async t => {
  const { url } = await guarded(t)
  // initialize, notifications/initialized, tools/list, tools/call.
  const client = await connect(t, url, { authorization: 'Bearer slow-key' })
  await client.listTools()
  await client.callTool({ name: 'me' })
  const answer = await postMessage(url, callOf('me'), { 'x-api-key': 'slow-key' })
  t.equal(answer.status, 429)
  t.equal(await codeOf(answer), 'RATE_LIMITED')
  t.match(answer.headers.get('retry-after'), /^\d+$/)
})

t.test('a call needs a turn, and waits while none is free', async t => {
  const held: ServerResponse[] = []
  const { url, hasura } = await start(t, {
    hasura: tellsSchema(response => void held.push(response)),
    settings: { GRAPHQL_CONNECTIONS: '1', GRAPHQL_QUEUE: '0' }
  })
  const before = hasura.received.length
  const first = postMessage(url, callOf('me'))
  await hasura.hasReceived(before + 1)
  t.match(await (await postMessage(url, callOf('me'))).json(), {
    result: { isError: true, structuredContent: { errors: [{ extensions: { code: 'OVERLOADED' } }] } }
  })
  t.equal(hasura.received.length, before + 1)
  for (const response of held) sendJson(response, '{"data":{"me":null}}')
  t.match(await (await first).json(), { result: { isError: false, structuredContent: { data: { me: null } } } })
})

t.test('a caller that leaves ends the call to Hasura', async t => {
  const { url, hasura, entries } = await start(t, { hasura: tellsSchema(() => {}) })
  const before = hasura.received.length
  const controller = new AbortController()
  const left = postMessage(url, callOf('me'), {}, controller.signal)
  await hasura.hasReceived(before + 1)
  const closed = [...hasura.sockets].map(socket => new Promise(resolve => socket.once('close', resolve)))
  controller.abort()
  await t.rejects(left)
  await Promise.race(closed)
  t.equal(entries().filter(({ level }) => Number(level) >= 50).length, 0)
})

t.test('a caller that leaves while the answer is read ends the reading, without an error of the service', async t => {
  const started = Promise.withResolvers<void>()
  const { url, hasura, entries } = await start(t, {
    hasura: tellsSchema(response => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000_000 })
      response.write(`{"data":{"me":{"id":"${'x'.repeat(200_000)}`, () => started.resolve())
    }),
    settings: { GRAPHQL_TIMEOUT_MS: '600000' }
  })
  const controller = new AbortController()
  const left = postMessage(url, callOf('me'), {}, controller.signal)
  await started.promise
  // Once these are answered, the service has begun to read.
  for (let n = 0; n < 3; n++) await postMessage(url, { jsonrpc: '2.0', id: 1, method: 'ping' })
  const closed = [...hasura.sockets].map(socket => new Promise(resolve => socket.once('close', resolve)))
  controller.abort()
  await t.rejects(left)
  await Promise.race(closed)
  for (let n = 0; n < 3; n++) await postMessage(url, { jsonrpc: '2.0', id: 1, method: 'ping' })
  t.strictSame(
    entries().filter(({ level }) => Number(level) >= 50),
    []
  )
})

t.test('the log line and the metrics of a call contain its operation, caller and code', async t => {
  const { url, app, entries } = await guarded(t)
  await (await postMessage(url, callOf('me'), { 'x-api-key': 'web-key' })).text()
  await (await postMessage(url, callOf('add', { user: {} }), { 'x-api-key': 'web-key' })).text()
  const requests = entries().filter(({ msg }) => msg === 'request')
  t.match(requests, [
    { route: '/mcp', method: 'POST', caller: 'web', operation: 'Me', kind: 'query', status: 200, upstreamMs: Number },
    { route: '/mcp', caller: 'web', operation: 'Add', kind: 'mutation', status: 200, code: 'INVALID_REQUEST' }
  ])
  const metrics = await app.metrics.registry.metrics()
  t.match(metrics, /graphql_operations_total\{kind="query",outcome="ok",caller="web"\} 1/)
  t.match(metrics, /stored_operation_requests_total\{operation="me",outcome="ok"\} 1/)
  t.match(metrics, /graphql_operations_total\{kind="mutation",outcome="INVALID_REQUEST",caller="web"\} 1/)
})
