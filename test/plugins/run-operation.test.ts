// What passes through the service in both directions: headers, bytes, status, and a caller that leaves.
import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { codeOf, gatewayFor, tokenNumber } from '../support/gateway.ts'

const QUERY = { query: '{ a }' }

t.test('an Accept header with neither JSON type is refused before the body is read', async t => {
  const gateway = await gatewayFor(t)
  const answer = await gateway.post('not json', { accept: 'text/html' })
  t.equal(answer.status, 406)
  t.equal(await codeOf(answer), 'NOT_ACCEPTABLE')
})

t.test('a role that is not allowed is refused before the body is read', async t => {
  const gateway = await gatewayFor(t, { settings: { HASURA_ALLOWED_ROLES: 'reader, editor' } })
  for (const role of ['admin', 'Reader', 'reader, editor', '']) {
    const answer = await gateway.post('not json', { 'x-hasura-role': role })
    t.equal(answer.status, 403, role)
    t.equal(await codeOf(answer), 'ROLE_NOT_ALLOWED', role)
  }
  t.equal((await gateway.post(QUERY, { 'x-hasura-role': 'editor' })).status, 200)
  t.equal(gateway.hasura.received.at(-1)?.headers['x-hasura-role'], 'editor')
})

t.test('no role is allowed if none is set', async t => {
  const gateway = await gatewayFor(t)
  t.equal(await codeOf(await gateway.post(QUERY, { 'x-hasura-role': 'admin' })), 'ROLE_NOT_ALLOWED')
})

t.test('no credential of the caller is forwarded, and only the allowed headers of Hasura come back', async t => {
  const gateway = await gatewayFor(t, {
    hasura: response =>
      sendJson(response, '{"data":{}}', 200, { 'set-cookie': 'a=b', server: 'x', 'x-powered-by': 'y', 'x-request-id': 'theirs' })
  })
  const answer = await gateway.post(QUERY, {
    authorization: 'Bearer mine',
    cookie: 'session=1',
    'x-api-key': 'k',
    'x-hasura-admin-secret': 's',
    'x-hasura-user-id': '1',
    'x-other': 'o',
    'x-request-id': 'my.id_1-2'
  })
  const headers = gateway.hasura.received[0]?.headers ?? {}
  t.strictSame(Object.keys(headers).sort(), [
    'accept',
    'accept-encoding',
    'authorization',
    'content-length',
    'content-type',
    'host',
    'x-request-id'
  ])
  t.match(headers, { authorization: `Bearer ${tokenNumber(1)}`, 'x-request-id': 'my.id_1-2', accept: 'application/json' })
  for (const name of ['set-cookie', 'server', 'x-powered-by']) t.equal(answer.headers.get(name), null, name)
  t.equal(answer.headers.get('x-request-id'), 'my.id_1-2')
})

t.test('trace context and FORWARD_HEADERS are forwarded', async t => {
  const gateway = await gatewayFor(t, { settings: { FORWARD_HEADERS: 'X-Tenant,x-plan' } })
  await gateway.post(QUERY, { traceparent: '00-a-b-01', tracestate: 'v=1', 'x-tenant': 'acme', 'x-other': 'o' })
  const headers = gateway.hasura.received[0]?.headers
  t.match(headers, { traceparent: '00-a-b-01', tracestate: 'v=1', 'x-tenant': 'acme' })
  t.notOk(headers?.['x-other'] ?? headers?.['x-plan'])
})

t.test('an invalid request ID is replaced', async t => {
  const gateway = await gatewayFor(t)
  for (const id of ['', 'a b', 'ü', 'x'.repeat(129), '<script>']) {
    const answer = await gateway.post(QUERY, { 'x-request-id': id })
    t.match(answer.headers.get('x-request-id'), /^[0-9a-f-]{36}$/, id)
    t.equal(gateway.hasura.received.at(-1)?.headers['x-request-id'], answer.headers.get('x-request-id'))
  }
})

t.test('the body from Hasura reaches the caller byte for byte, with its status and headers', async t => {
  const body = ' {"data" : {"n":9007199254740993,"b":1.0,  "a":1e400}}\n'
  const passed = {
    'cache-control': 'max-age=60',
    'retry-after': '7',
    warning: '299 - "x"',
    'x-hasura-query-cache-key': 'k',
    'x-hasura-query-family-cache-key': 'f'
  }
  for (const status of [200, 400, 429, 500]) {
    const gateway = await gatewayFor(t, { hasura: response => sendJson(response, body, status, passed) })
    const answer = await gateway.post(QUERY)
    t.equal(answer.status, status)
    t.equal(await answer.text(), body)
    t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    for (const [name, value] of Object.entries(passed)) t.equal(answer.headers.get(name), value)
  }
})

t.test('the content type from Hasura is unchanged, and so are unusual bytes in its headers', async t => {
  const gateway = await gatewayFor(t, {
    hasura: response => response.writeHead(200, { 'content-type': 'application/json', warning: '299 - "caf\u00e9"' }).end('{"data":"é"}')
  })
  const answer = await gateway.post(QUERY)
  t.equal(answer.headers.get('content-type'), 'application/json')
  t.equal(answer.headers.get('warning'), '299 - "caf\u00e9"')
  t.equal(await answer.text(), '{"data":"é"}')
})

t.test('gzip passes unchanged to a caller that accepts it, and is not requested otherwise', async t => {
  const bytes = gzipSync('{"data":{"a":1}}')
  const gateway = await gatewayFor(t, {
    hasura: (response, { headers }) =>
      headers['accept-encoding'] === 'gzip'
        ? response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bytes)
        : sendJson(response, '{"data":{}}')
  })
  const plain = await gateway.post(QUERY, { 'accept-encoding': 'br' })
  t.equal(plain.headers.get('content-encoding'), null)
  t.equal(gateway.hasura.received[0]?.headers['accept-encoding'], undefined)
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    const answer = await gateway.post(QUERY, { 'accept-encoding': 'gzip, br', accept })
    t.equal(answer.headers.get('content-encoding'), 'gzip')
    t.equal(answer.headers.get('content-length'), String(bytes.length))
    t.equal(answer.status, 200)
    t.equal(await answer.text(), '{"data":{"a":1}}')
  }
})

t.test('with application/graphql-response+json, 200 without data becomes 400', async t => {
  const cases: [string, number, number][] = [
    ['{"errors":[{"message":"no"}]}', 200, 400],
    ['{"errors":[{"message":"no"}],"data":null}', 200, 200],
    ['{"data":null,"errors":[{"message":"no"}]}', 200, 200],
    ['{"errors":[{"message":"no"}]}', 500, 500]
  ]
  for (const [body, status, expected] of cases) {
    const gateway = await gatewayFor(t, { hasura: response => sendJson(response, body, status) })
    const answer = await gateway.post(QUERY, { accept: 'application/graphql-response+json' })
    t.equal(answer.status, expected, body)
    t.equal(answer.headers.get('content-type'), 'application/graphql-response+json; charset=utf-8')
    t.equal(await answer.text(), body)
    t.equal((await gateway.post(QUERY)).status, status, 'not with the other type')
  }
})

t.test("the service's own errors have the media type that the caller accepts", async t => {
  const gateway = await gatewayFor(t)
  const answer = await gateway.post({ query: '{' }, { accept: 'application/graphql-response+json' })
  t.equal(answer.status, 400)
  t.equal(answer.headers.get('content-type'), 'application/graphql-response+json; charset=utf-8')
})

t.test('a caller that leaves ends the call to Hasura', async t => {
  const gateway = await gatewayFor(t, { hasura: () => {} })
  const controller = new AbortController()
  const left = fetch(`${gateway.url}/execute-graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(QUERY),
    signal: controller.signal
  })
  await gateway.hasura.hasReceived(1)
  const closed = [...gateway.hasura.sockets].map(socket => new Promise(resolve => socket.once('close', resolve)))
  controller.abort()
  await t.rejects(left)
  await Promise.all(closed)
  t.equal(gateway.hasura.sockets.size, 0)
})

t.test('an answer that breaks off while streaming breaks the connection to the caller', async t => {
  const megabyte = Buffer.alloc(1024 * 1024, ' ')
  for (const headers of [{ 'content-length': String(2 * megabyte.length) }, {}]) {
    const gateway = await gatewayFor(t, {
      hasura: response => {
        response.writeHead(200, { 'content-type': 'application/json', ...headers })
        response.write('{"data":')
        response.write(megabyte, () => response.destroy())
      }
    })
    const answer = await gateway.post(QUERY)
    t.equal(answer.status, 200)
    await t.rejects(answer.arrayBuffer())
    t.match(await (await fetch(`${gateway.url}/health/live`)).json(), { status: 'live' }, 'the service keeps running')
  }
})

t.test('the first bytes of a large answer are sent before its last bytes arrive', async t => {
  let finish = () => {}
  const gateway = await gatewayFor(t, {
    hasura: response => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(`{"data":"${'x'.repeat(100_000)}`)
      finish = () => response.end('"}')
    }
  })
  const answer = await gateway.post(QUERY)
  const reader = answer.body?.getReader()
  const first = await reader?.read()
  t.ok((first?.value?.length ?? 0) > 0)
  finish()
  let size = first?.value?.length ?? 0
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) size += next.value.length
  t.equal(size, '{"data":"'.length + 100_000 + 2)
})

t.test('a caller that leaves in the middle of its body leaks nothing', async t => {
  const gateway = await gatewayFor(t)
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST /execute-graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query"')
  socket.destroy()
  t.equal((await gateway.post(QUERY)).status, 200)
  t.equal(gateway.hasura.received.length, 1)
})

t.test('an expired token is renewed and the request is answered', async t => {
  const refused = '{"errors":[{"extensions":{"path":"$","code":"invalid-jwt"},"message":"Could not verify JWT: JWTExpired"}]}'
  const gateway = await gatewayFor(t, {
    hasura: (response, { headers }) => sendJson(response, headers.authorization === `Bearer ${tokenNumber(1)}` ? refused : '{"data":{}}')
  })
  const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.post(QUERY)))
  t.ok(answers.every(({ status }) => status === 200))
  for (const answer of answers) t.equal(await answer.text(), '{"data":{}}')
  t.equal(gateway.cognito.received.length, 2, 'one renewal for all of them')
})
