// Stored operations as tools: the official client lists and calls them, under the same checks as /operations.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Files, operationsSent, schemaHasCome, tellsSchema } from '../stored-operations/fixtures.ts'
import { type Answer, sendJson } from '../support/fake-server.ts'
import { codeOf, type GatewayOptions, gatewayFor } from '../support/gateway.ts'
import { connect, postMessage } from '../support/mcp-client.ts'

const FILES: Files = {
  'add.graphql': 'mutation Add($user: user_insert!) { add(user: $user) { id } }',
  'get.graphql': 'query Get($id: ID!, $n: [Int!]) { user(id: $id) { id } users(n: $n) { id } }',
  'me.graphql': '# Who I am.\nquery Me { me { id big } }',
  'users.graphql': 'query Users($where: user_bool_exp, $n: [Int!] = [1]) { users(where: $where, n: $n) { id } }'
}

async function start(t: Test, options: GatewayOptions = {}, files: Files = FILES) {
  const gateway = await gatewayFor(t, {
    hasura: tellsSchema(),
    ...options,
    settings: { MCP_ENABLED: 'true', OPERATIONS_DIR: t.testdir({ operations: files }).concat('/operations'), ...options.settings }
  })
  await schemaHasCome(gateway)
  const send = (body: unknown, headers?: Record<string, string>) => postMessage(gateway.url, body, headers)
  const call = (name: string, args = '{}', headers?: Record<string, string>) =>
    send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`, headers)
  /** Calls a tool, and returns the code of the error that it reports. */
  const failureOf = async (name: string, args?: string, headers?: Record<string, string>) => {
    const { result } = (await (await call(name, args, headers)).json()) as { result: { isError: boolean; content: { text: string }[] } }
    t.equal(result.isError, true)
    return codeOf(new Response(result.content[0]?.text))
  }
  return { ...gateway, send, call, failureOf, sent: () => operationsSent(gateway) }
}

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' }

t.test('/mcp is off by default', async t => {
  const { send } = await start(t, { settings: { MCP_ENABLED: 'false' } })
  const answer = await send(PING)
  t.equal(answer.status, 404)
  t.equal(await codeOf(answer), 'NOT_FOUND')
})

t.test('GET and DELETE are 405', async t => {
  const { url } = await start(t)
  for (const method of ['GET', 'DELETE', 'PUT', 'HEAD']) {
    const answer = await fetch(`${url}/mcp`, { method, headers: { accept: 'text/event-stream' } })
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.get('allow'), 'POST', method)
    if (method !== 'HEAD') t.equal(await codeOf(answer), 'METHOD_NOT_ALLOWED')
  }
})

t.test('only pages of listed origins may connect, whatever else the browser sends', async t => {
  const { send, sent } = await start(t, { settings: { CORS_ORIGINS: 'https://app.example.com' } })
  for (const origin of ['https://evil.example.com', 'null', 'http://localhost:3000', 'https://app.example.com:444']) {
    const answer = await send(PING, { origin })
    t.equal(answer.status, 403, origin)
    t.equal(await codeOf(answer), 'CROSS_SITE_REQUEST', origin)
  }
  t.equal((await send(PING, { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' })).status, 200)
  t.equal((await send(PING)).status, 200)
  t.strictSame(sent(), [])
})

t.test('anything but one JSON-RPC message is refused, including a batch', async t => {
  const { send, sent } = await start(t)
  const tool = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'me' } }
  for (const [body, headers, status, code] of [
    [[tool, tool], {}, 400, 'INVALID_REQUEST'],
    ['[]', {}, 400, 'INVALID_REQUEST'],
    ['null', {}, 400, 'INVALID_REQUEST'],
    ['{', {}, 400, 'INVALID_JSON'],
    ['', {}, 400, 'INVALID_JSON'],
    [tool, { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [tool, { accept: 'text/html' }, 406, 'NOT_ACCEPTABLE'],
    [tool, { 'x-hasura-role': 'admin' }, 403, 'ROLE_NOT_ALLOWED']
  ] as const) {
    const answer = await send(body, headers)
    t.equal(answer.status, status, code)
    t.equal(await codeOf(answer), code)
  }
  t.equal((await send({ ...tool, jsonrpc: '1.0' })).status, 400)
  t.equal((await send(tool, { 'mcp-protocol-version': '1999-01-01' })).status, 400)
  t.equal((await send({ ...tool, id: undefined })).status, 202, 'a notification is accepted, and runs nothing')
  t.match(await (await send({ ...tool, method: 'prompts/list' })).json(), { id: 1, error: { code: -32601 } })
  t.match(await (await send({ ...tool, params: { name: 7 } })).json(), { id: 1, error: { code: Number } })
  t.strictSame(sent(), [])
})

t.test('the SDK checks only small messages; the arguments may be as large as any body', async t => {
  const { send, call, sent } = await start(t)
  const wide = Object.fromEntries(Array.from({ length: 310 }, (_, n) => [`k${n}`, n]))
  const client = { protocolVersion: '2025-11-25', clientInfo: { name: 'test', version: '1' }, capabilities: { experimental: wide } }
  for (const message of [
    { method: 'initialize', params: client },
    { method: 'tools/call', params: { name: 'me', _meta: wide } },
    { method: 'tools/call', params: { name: 'me', ...wide } },
    { result: wide }
  ]) {
    const answer = await send({ jsonrpc: '2.0', id: 1, ...message })
    t.equal(answer.status, 400)
    t.equal(await codeOf(answer), 'INVALID_REQUEST')
  }
  t.strictSame(sent(), [])
  const id = 'x'.repeat(500_000)
  t.equal((await call('get', JSON.stringify({ id }))).status, 200)
  t.match(sent().at(-1), id)
})

t.test('an error of the service is reported with its code, and Hasura receives nothing', async t => {
  const { failureOf, sent, hasura } = await start(t, { settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query' } })
  t.equal(await failureOf('nope'), 'NOT_FOUND')
  t.equal(await failureOf('__proto__'), 'NOT_FOUND')
  t.equal(await failureOf('add', '{"user":{"name":"a"}}'), 'OPERATION_NOT_ALLOWED')
  t.equal(await failureOf('users', '{"n":["x"],"nope":1}'), 'INVALID_REQUEST')
  for (const args of ['[]', 'null', '1', '"{}"']) t.equal(await failureOf('me', args), 'INVALID_REQUEST', args)
  t.equal(await failureOf('users', `{${Array.from({ length: 1_001 }, (_, n) => `"a${n}":1`)}}`), 'INVALID_REQUEST')
  t.strictSame(sent(), [])
  await hasura.close()
  t.equal(await failureOf('me'), 'UPSTREAM_UNREACHABLE')
})

t.test('an operation that does not match the schema is a tool that says so', async t => {
  const { failureOf, url } = await start(t, {}, { 'odd.graphql': 'query Odd { nothing }' })
  t.equal(await failureOf('odd'), 'OPERATION_UNAVAILABLE')
  const [tool] = (await (await connect(t, url)).listTools()).tools
  t.equal(tool?.name, 'odd')
  t.notOk(tool?.outputSchema)
})

t.test('errors from Hasura are the whole answer, marked as an error, and the client accepts it', async t => {
  const bodies: [number, string][] = [
    [200, '{"errors":[{"message":"no","extensions":{"code":"validation-failed","path":"$"}}]}'],
    [500, '{"path":"$","error":"internal","code":"unexpected"}']
  ]
  for (const [status, body] of bodies) {
    const { url } = await start(t, { hasura: tellsSchema(response => sendJson(response, body, status)) })
    const client = await connect(t, url)
    await client.listTools()
    const result = await client.callTool({ name: 'add', arguments: { user: { name: 'a' } } })
    t.strictSame(result, { content: [{ type: 'text', text: body }], structuredContent: JSON.parse(body), isError: true })
  }
})

t.test('an answer that would break the message is UPSTREAM_INVALID_RESPONSE', async t => {
  let answer: Answer = () => {}
  const { failureOf } = await start(t, { hasura: tellsSchema((response, ...rest) => answer(response, ...rest)) })
  const json = { 'content-type': 'application/json' }
  for (const body of ['{"data":}', '{"data":{}},{"x":{}}', '[{"data":null}]', '"data"', Buffer.from('{"data":"\xff"}', 'latin1')]) {
    answer = response => response.writeHead(200, json).end(body)
    t.equal(await failureOf('me'), 'UPSTREAM_INVALID_RESPONSE', String(body))
  }
  answer = response =>
    response.writeHead(200, { ...json, 'content-length': 200_000 }).write(`{"data":"${'x'.repeat(100_000)}`, () => response.destroy())
  t.equal(await failureOf('add', '{"user":{"name":"a"}}'), 'UPSTREAM_INVALID_RESPONSE')
  answer = response => sendJson(response, JSON.stringify({ data: 'x'.repeat(4 * 1024 * 1024) }))
  t.equal(await failureOf('me'), 'LIMIT_EXCEEDED')
})

t.test('arguments and answers keep their digits and bytes, in the value and in the text', async t => {
  const body = ' {"data": {"me":{"id":"$&$1", "big":9007199254740993,  "10":1.0,"2":-0, "e":1e400}}}\n'
  const { call, sent } = await start(t, {
    hasura: tellsSchema(response => response.writeHead(200, { 'content-type': 'application/json' }).end(body))
  })
  const answer = await call('get', ' { "id" : 9007199254740993 , "n": [ 1 ] } ')
  t.equal(answer.status, 200)
  const message = await answer.text()
  t.ok(message.includes(`"structuredContent":${body}`), message)
  t.ok(message.includes(`"text":${JSON.stringify(body)}`), message)
  t.match(sent().at(-1), /"variables":{"id":9007199254740993,"n":\[ 1 \]}}$/)
})

t.test('a large answer is complete, even if the caller accepts gzip', async t => {
  const body = JSON.stringify({ data: { me: { id: 'é'.repeat(500_000), big: 1 } } })
  const { url, hasura } = await start(t, { hasura: tellsSchema(response => sendJson(response, body)) })
  const client = await connect(t, url)
  await client.listTools()
  const { content, structuredContent, isError } = await client.callTool({ name: 'me' })
  t.strictSame(content, [{ type: 'text', text: body }])
  t.strictSame(structuredContent, JSON.parse(body))
  t.equal(isError, false)
  t.equal(hasura.received.at(-1)?.headers['accept-encoding'], undefined)
})

t.test('the list describes the input and output of each tool', async t => {
  const { url } = await start(t)
  const { tools } = await (await connect(t, url)).listTools()
  t.strictSame(
    tools.map(({ name, description, annotations }) => [name, description, annotations]),
    [
      ['add', 'The mutation Add.', { readOnlyHint: false, destructiveHint: true }],
      ['get', 'The query Get.', { readOnlyHint: true }],
      ['me', 'Who I am.', { readOnlyHint: true }],
      ['users', 'The query Users.', { readOnlyHint: true }]
    ]
  )
  const [add, , me, users] = tools
  t.match(add?.inputSchema, { type: 'object', required: ['user'], properties: { user: { $ref: '#/$defs/user_insert' } } })
  t.match(add?.inputSchema.$defs, { user_insert: { required: ['name'] }, order_by: { enum: ['asc', 'desc'] } })
  t.match(users?.inputSchema.properties, { n: { default: [1] } })
  t.match(me?.outputSchema, { properties: { data: { properties: { me: { required: ['id', 'big'] } } }, errors: { minItems: 1 } } })
})

t.test('without a schema, a tool describes its input by the declarations in the file, and no output', async t => {
  const { url } = await gatewayFor(t, { settings: { MCP_ENABLED: 'true', OPERATIONS_DIR: t.testdir(FILES) } })
  const { tools } = await (await connect(t, url)).listTools()
  t.strictSame(tools.at(-1)?.inputSchema, {
    type: 'object',
    properties: { where: {}, n: { type: ['array', 'null'], items: { type: 'integer', format: 'int32' }, default: [1] } },
    additionalProperties: false
  })
  t.notOk(tools.at(-1)?.outputSchema)
})

t.test('a list of many tools has pages', async t => {
  const files = Object.fromEntries(Array.from({ length: 450 }, (_, n) => [`tool-${n}.graphql`, `query Tool${n} { me { id } }`]))
  const { url } = await start(t, {}, files)
  const client = await connect(t, url)
  const names: string[] = []
  let pages = 0
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor; isFirst = false) {
    const page = await client.listTools(cursor ? { cursor } : {})
    names.push(...page.tools.map(({ name }) => name))
    cursor = page.nextCursor
    pages++
  }
  t.equal(pages, 3)
  t.strictSame(
    names,
    Object.keys(files)
      .map(file => file.replace('.graphql', ''))
      .sort()
  )
})

t.test('a subscription is not a tool, and an added file is a tool in the next list', async t => {
  const folder = t.testdir({ 'me.graphql': 'query Me { me { id } }', 'live.graphql': 'subscription Live { me { id } }' })
  const gateway = await gatewayFor(t, {
    settings: { MCP_ENABLED: 'true', OPERATIONS_DIR: folder, GRAPHQL_ALLOWED_OPERATIONS: 'query,mutation,subscription' }
  })
  const client = await connect(t, gateway.url)
  const names = async () => (await client.listTools()).tools.map(({ name }) => name)
  t.strictSame(await names(), ['me'])
  const refused = await client.callTool({ name: 'live' })
  t.match(refused, { isError: true, structuredContent: { errors: [{ extensions: { code: 'NOT_FOUND' } }] } })
  writeFileSync(join(folder, 'us.graphql'), 'query Us { us { id } }')
  while (gateway.app.operations.current.get('us') === undefined) await setImmediate()
  t.strictSame(await names(), ['me', 'us'])
})

t.test('a query with @cached calls Hasura once, without the directive', async t => {
  const { call, sent } = await start(t, {}, { 'me.graphql': 'query Me @cached(ttl: 60) { me { id } }' })
  const first = await (await call('me')).text()
  t.equal(await (await call('me')).text(), first)
  t.equal(sent().length, 1)
  t.notMatch(sent()[0], 'cached')
})
