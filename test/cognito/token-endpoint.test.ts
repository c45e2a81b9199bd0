// One exchange over a real socket, and every way in which it fails.
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { createTokenEndpoint } from '../../src/cognito/token-endpoint.ts'
import type { ExchangeOptions } from '../../src/cognito/token-exchange.ts'
import { HOLD_MAX_BYTES } from '../../src/http1/pending-answer.ts'
import { type Answer, fakeServerFor, json, sendJson } from '../support/fake-server.ts'
import { makeSelfSigned } from '../support/self-signed.ts'

const REQUEST_ID = '7bbf4883-256d-4f1b-b060-68dd65fe0e74'
const TOKEN = { access_token: 'eyJ.a.b', expires_in: 3600, token_type: 'Bearer' }
const SECRET = 'hush+/=%&ü'

function endpointFor(t: Test, domain: string, options: Partial<ExchangeOptions> = {}) {
  const endpoint = createTokenEndpoint(domain, { clientId: 'machine', scopes: [], ...options })
  t.teardown(() => endpoint.close())
  return endpoint
}

/** A server of bare sockets, for bytes that no HTTP server would send. */
async function listen(t: Test, server: Server): Promise<AddressInfo> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server.address() as AddressInfo
}

/** Resolves once a socket is closed, by either side. */
const closed = (socket: Socket) => new Promise<void>(resolve => (socket.closed ? resolve() : socket.once('close', () => resolve())))

const plainText =
  (status: number, body: string, headers = {}): Answer =>
  (response: Parameters<Answer>[0]) =>
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body)
const oversized = JSON.stringify({ ...TOKEN, padding: 'x'.repeat(HOLD_MAX_BYTES) })

const FAULTS: [title: string, answer: Answer, code: string, retryAfterMs?: number][] = [
  ['400 invalid_client', json(400, { error: 'invalid_client' }), 'invalid_client'],
  ['401 invalid_client', json(401, { error: 'invalid_client' }), 'invalid_client'],
  ['400 invalid_grant', json(400, { error: 'invalid_grant' }), 'invalid_grant'],
  ['400 invalid_scope', json(400, { error: 'invalid_scope', error_description: 'x' }), 'invalid_scope'],
  ['400 invalid_request', json(400, { error: 'invalid_request' }), 'invalid_request'],
  ['400 unauthorized_client', json(400, { error: 'unauthorized_client' }), 'unauthorized_client'],
  ['400 unsupported_grant_type', json(400, { error: 'unsupported_grant_type' }), 'unsupported_grant_type'],
  ['400 with an error that OAuth does not know', json(400, { error: 'secret_unreadable' }), 'invalid_response'],
  ['400 with an error that every object has', json(400, { error: 'toString' }), 'invalid_response'],
  ['400 without a body', plainText(400, ''), 'invalid_response'],
  ['403 of a firewall', plainText(403, '<html>no</html>'), 'invalid_response'],
  ['429 as text', plainText(429, 'Too many'), 'throttled'],
  ['429 with seconds to wait', plainText(429, '', { 'retry-after': '7' }), 'throttled', 7_000],
  [
    '429 with a date to wait for',
    plainText(429, '', { date: 'Sun, 06 Nov 1994 08:49:37 GMT', 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT' }),
    'throttled',
    10_000
  ],
  ['429 over 64 KiB', plainText(429, oversized, { 'retry-after': '7' }), 'throttled', 7_000],
  ['400 TooManyRequestsException', json(400, { __type: 'TooManyRequestsException' }, { 'retry-after': '3' }), 'throttled', 3_000],
  ['200 TooManyRequests', plainText(200, 'TooManyRequests'), 'throttled'],
  ['503 TooManyRequests', plainText(503, 'TooManyRequests'), 'throttled'],
  ['500', plainText(500, ''), 'server_error'],
  ['502 of a proxy', plainText(502, '<html>Bad gateway</html>'), 'server_error'],
  ['503 with seconds to wait', plainText(503, '', { 'retry-after': '2' }), 'server_error', 2_000],
  ['503 that says invalid_client', json(503, { error: 'invalid_client' }), 'server_error'],
  ['200 without a body', plainText(200, ''), 'invalid_response'],
  ['200 with HTML', plainText(200, '<html>Welcome</html>', { 'content-type': 'text/html' }), 'invalid_response'],
  ['200 with JSON cut off', plainText(200, '{"access_token":"a'), 'invalid_response'],
  ['200 that says invalid_client', json(200, { error: 'invalid_client' }), 'invalid_response'],
  ['200 without expires_in', json(200, { ...TOKEN, expires_in: undefined }), 'invalid_response'],
  ['200 with a token for MAC', json(200, { ...TOKEN, token_type: 'mac' }), 'invalid_response'],
  ['200 over 64 KiB', json(200, oversized), 'invalid_response'],
  ['201 with a token', json(201, TOKEN), 'invalid_response'],
  ['204', response => response.writeHead(204).end(), 'invalid_response'],
  ['a connection that breaks before the head', response => response.destroy(), 'unreachable'],
  [
    'a connection that breaks in the middle of the body',
    response => {
      response.writeHead(200, { 'content-length': 100 }).write('{"access_token":"')
      setImmediate(() => response.destroy())
    },
    'unreachable'
  ]
]

for (const [title, answer, code, retryAfterMs] of FAULTS)
  t.test(`${title} is ${code}`, async t => {
    const server = await fakeServerFor(t, answer)
    await t.rejects(endpointFor(t, server.url).exchange(SECRET), { name: 'ExchangeError', code, retryAfterMs })
    t.equal(server.received.length, 1)
  })

t.test('a redirect is not followed', async t => {
  const server = await fakeServerFor(t, (response, _, count) =>
    count === 1 ? response.writeHead(307, { location: '/elsewhere' }).end() : sendJson(response, TOKEN)
  )
  await t.rejects(endpointFor(t, server.url).exchange(SECRET), { code: 'invalid_response' })
  t.equal(server.received.length, 1)
})

for (const [title, answer] of [
  ['no answer', () => {}],
  ['no end of the answer', response => void response.writeHead(200).write('{')]
] as [string, Answer][])
  t.test(`${title} is a time-out, and frees the connection`, async t => {
    const server = await fakeServerFor(t, answer)
    await t.rejects(endpointFor(t, server.url, { timeoutMs: 50 }).exchange(SECRET), { code: 'timeout', kind: 'passing' })
    await Promise.all([...server.sockets].map(socket => once(socket, 'close')))
    t.equal(server.sockets.size, 0)
  })

t.test('a port without a listener is unreachable', async t => {
  // Nothing listens on port 1, whatever else is running.
  await t.rejects(endpointFor(t, 'http://127.0.0.1:1').exchange(SECRET), {
    code: 'unreachable',
    kind: 'passing',
    cause: { code: 'ECONNREFUSED' }
  })
})

t.test('a TLS handshake that fails is unreachable', async t => {
  const { port } = await listen(t, createHttpsServer())
  await t.rejects(endpointFor(t, `https://127.0.0.1:${port}`).exchange(SECRET), { code: 'unreachable' })
})

t.test('an untrusted certificate is unreachable, and nothing is sent', async t => {
  const server = await fakeServerFor(t, json(200, TOKEN), createHttpsServer(makeSelfSigned()))
  await t.rejects(endpointFor(t, server.url).exchange(SECRET), { code: 'unreachable', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })
  t.strictSame(server.received, [])
})

/** A server that accepts connections and stays silent, so that no TLS handshake completes. */
async function silentServer(t: Test) {
  const sockets: Socket[] = []
  const { port } = await listen(
    t,
    createServer(socket => void sockets.push(socket.on('error', () => {}).resume()))
  )
  return { url: `https://127.0.0.1:${port}`, sockets }
}

t.test('a connection that is never established is a time-out, and is abandoned', async t => {
  const { url, sockets } = await silentServer(t)
  await t.rejects(endpointFor(t, url, { timeoutMs: 50 }).exchange(SECRET), { code: 'timeout' })
  for (const socket of sockets) await closed(socket)
  t.equal(sockets.length, 1)
})

t.test('closing ends an exchange whose connection is not yet established', async t => {
  const { url, sockets } = await silentServer(t)
  const endpoint = endpointFor(t, url)
  const exchange = t.rejects(endpoint.exchange(SECRET), { code: 'unreachable' })
  while (sockets.length === 0) await new Promise(setImmediate)
  endpoint.close()
  await exchange
  for (const socket of sockets) await closed(socket)
})

t.test('an endless answer is invalid, and its connection is closed', async t => {
  const server = await fakeServerFor(t, response => {
    response.writeHead(200)
    const write = (error?: Error | null) => void (error || response.write('x'.repeat(HOLD_MAX_BYTES), write))
    write()
  })
  await t.rejects(endpointFor(t, server.url).exchange(SECRET), { code: 'invalid_response' })
  for (const socket of server.sockets) await closed(socket)
  t.equal(server.received.length, 1)
})

t.test('an answer that is not HTTP is invalid, and none of it is kept', async t => {
  const bad = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"access_eyJ-secret-piece`
  const { port } = await listen(
    t,
    createServer((socket: Socket) => void socket.on('data', () => socket.end(bad)).on('error', () => {}))
  )
  const error = await endpointFor(t, `http://127.0.0.1:${port}`)
    .exchange(SECRET)
    .catch((error: unknown) => error)
  t.match(error, { code: 'invalid_response' })
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), /eyJ/)
})

t.test('a head that is too large is an invalid answer', async t => {
  const server = await fakeServerFor(
    t,
    json(200, TOKEN, Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`x-${n}`, 'y'.repeat(1000)])))
  )
  await t.rejects(endpointFor(t, server.url).exchange(SECRET), { code: 'invalid_response' })
})

t.test('no error shows the secret', async t => {
  const server = await fakeServerFor(t, (response, { body }) =>
    sendJson(response, { error: 'invalid_client', error_description: body }, 400)
  )
  const error = await endpointFor(t, server.url)
    .exchange(SECRET)
    .catch((error: unknown) => error)
  t.match(error, { code: 'invalid_client' })
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), /hush/)
})

t.test('a failure keeps the request ID for AWS support', async t => {
  const server = await fakeServerFor(t, json(500, {}, { 'x-amz-cognito-request-id': REQUEST_ID }))
  await t.rejects(endpointFor(t, server.url).exchange(SECRET), { code: 'server_error', cognitoRequestId: REQUEST_ID })
})

t.test('a failure does not affect the next exchange', async t => {
  const server = await fakeServerFor(t, (response, _, count) => (count === 1 ? response.destroy() : sendJson(response, TOKEN)))
  const endpoint = endpointFor(t, server.url)
  await t.rejects(endpoint.exchange(SECRET), { code: 'unreachable' })
  t.match(await endpoint.exchange(SECRET), { accessToken: 'eyJ.a.b' })
})

t.test('closing ends an exchange in progress', async t => {
  const server = await fakeServerFor(t, () => {})
  const endpoint = createTokenEndpoint(server.url, { clientId: 'machine', scopes: [] })
  const exchange = t.rejects(endpoint.exchange(SECRET), { code: 'unreachable' })
  await server.hasReceived(1)
  await endpoint.close()
  await exchange
})

t.test('a token comes with its lifetime, the date of the answer and the request ID', async t => {
  const date = 'Sun, 06 Nov 1994 08:49:37 GMT'
  const server = await fakeServerFor(t, json(200, { ...TOKEN, expires_in: '300' }, { date, 'x-amz-cognito-request-id': REQUEST_ID }))
  t.strictSame(await endpointFor(t, server.url).exchange(SECRET), {
    accessToken: 'eyJ.a.b',
    expiresInSeconds: 300,
    date,
    cognitoRequestId: REQUEST_ID
  })
})

t.test('a chunked answer is read', async t => {
  const [start, end] = ['{"access_token":"eyJ.a.b","expires_in":36', '00,"token_type":"Bearer"}']
  const server = await fakeServerFor(t, response => {
    response.writeHead(200).write(start)
    setImmediate(() => response.end(end))
  })
  t.match(await endpointFor(t, server.url).exchange(SECRET), { accessToken: 'eyJ.a.b', expiresInSeconds: 3600 })
  t.equal(server.received[0]?.headers['accept-encoding'], undefined)
})

t.test('an answer of exactly 64 KiB is read', async t => {
  const padding = 'x'.repeat(HOLD_MAX_BYTES - JSON.stringify({ ...TOKEN, padding: '' }).length)
  const server = await fakeServerFor(t, json(200, { ...TOKEN, padding }))
  t.match(await endpointFor(t, server.url).exchange(SECRET), { accessToken: 'eyJ.a.b' })
})

t.test('an answer of 64 KiB and one byte is not read', async t => {
  const padding = 'x'.repeat(HOLD_MAX_BYTES + 1 - JSON.stringify({ ...TOKEN, padding: '' }).length)
  const server = await fakeServerFor(t, json(200, { ...TOKEN, padding }))
  await t.rejects(endpointFor(t, server.url).exchange(SECRET), { code: 'invalid_response' })
})

t.test('the request is one POST of a form with the client ID and secret unchanged', async t => {
  const server = await fakeServerFor(t, json(200, TOKEN))
  await endpointFor(t, server.url).exchange(SECRET)
  const [request] = server.received
  t.match(request, { method: 'POST', url: '/oauth2/token', headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  t.equal(request?.headers.authorization, undefined)
  t.match(request?.body, 'client_secret=hush%2B%2F%3D%25%26%C3%BC')
  t.strictSame(
    [...new URLSearchParams(request?.body)],
    [
      ['grant_type', 'client_credentials'],
      ['client_id', 'machine'],
      ['client_secret', SECRET]
    ]
  )
})

t.test('the connection closes after the exchange, because the next one is an hour away', async t => {
  const server = await fakeServerFor(t, json(200, TOKEN, { 'keep-alive': 'timeout=600' }), createHttpServer({ keepAliveTimeout: 0 }))
  await endpointFor(t, server.url, { timeoutMs: 600_000 }).exchange(SECRET)
  await Promise.all([...server.sockets].map(socket => once(socket, 'close')))
  t.equal(server.sockets.size, 0)
})

t.test('scopes are sent if they are set', async t => {
  const server = await fakeServerFor(t, json(200, TOKEN))
  await endpointFor(t, server.url, { scopes: ['hasura/read', 'hasura/write'] }).exchange(SECRET)
  t.equal(new URLSearchParams(server.received[0]?.body).get('scope'), 'hasura/read hasura/write')
})

t.test('client metadata is sent as JSON text', async t => {
  const server = await fakeServerFor(t, json(200, TOKEN))
  await endpointFor(t, server.url, { clientMetadata: { tenant: 'a&b', empty: '' } }).exchange(SECRET)
  t.equal(new URLSearchParams(server.received[0]?.body).get('aws_client_metadata'), '{"tenant":"a&b","empty":""}')
})

t.test('the advice names AWS_COGNITO_DOMAIN', async t => {
  const server = await fakeServerFor(t, plainText(200, ''))
  await t.rejects(endpointFor(t, server.url).exchange(SECRET), { message: /^status 200; .*check AWS_COGNITO_DOMAIN,/ })
  await t.rejects(endpointFor(t, 'http://127.0.0.1:1').exchange(SECRET), { message: /check AWS_COGNITO_DOMAIN,/ })
})

for (const [suffix, path] of [
  ['/', '/oauth2/token'],
  ['///', '/oauth2/token'],
  ['\n', '/oauth2/token'],
  ['/pool', '/pool/oauth2/token'],
  ['/pool/ ', '/pool/oauth2/token']
] as const)
  t.test(`a domain that ends in ${JSON.stringify(suffix)} has its endpoint at ${path}`, async t => {
    const server = await fakeServerFor(t, json(200, TOKEN))
    await endpointFor(t, server.url + suffix).exchange(SECRET)
    t.equal(server.received[0]?.url, path)
  })
