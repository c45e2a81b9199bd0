// Requests through a proxy: tunnels for https, forwarded requests for http, and every refusal of a proxy.
import { createServer as createHttpsServer } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { createHttpClient, type HttpClientOptions } from '../../src/http1/http-client.ts'
import { startFakeProxy } from '../support/fake-proxy.ts'
import { type Answer, type FakeServer, sendJson, startFakeServer } from '../support/fake-server.ts'
import { makeSelfSigned } from '../support/self-signed.ts'

const AUTHORIZATION = `Basic ${Buffer.from('user:hush').toString('base64')}`
const answers: Answer = (response, { body }) => sendJson(response, { body })

const certificate = makeSelfSigned()
const before = getCACertificates('default')
setDefaultCACertificates([...before, certificate.cert])
t.teardown(() => setDefaultCACertificates(before))

/** An upstream, a proxy in front of it, and a client that uses both. */
async function chainFor(
  t: Test,
  {
    isSecure = true,
    isProxySecure = false,
    answer = answers,
    ...options
  }: Partial<HttpClientOptions> & {
    isSecure?: boolean
    isProxySecure?: boolean
    answer?: Answer
    authorization?: string
  } = {}
) {
  const upstream = await startFakeServer(answer, isSecure ? createHttpsServer(certificate) : undefined)
  const proxy = await startFakeProxy(isProxySecure ? certificate : undefined)
  const { authorization } = options
  const client = createHttpClient({
    url: `${upstream.url.replace('127.0.0.1', 'localhost')}/v1/graphql?a=b`,
    connections: 1,
    proxy: { isSecure: isProxySecure, hostname: isProxySecure ? 'localhost' : '127.0.0.1', port: proxy.port, authorization }
  })
  t.teardown(async () => {
    client.close()
    await Promise.all([upstream.close(), proxy.close()])
  })
  const send = (body = '{}', timeoutMs = 30_000) =>
    client.request({ fields: 'x-a: b\r\n', body, timeoutMs, signal: new AbortController().signal })
  return { upstream, proxy, client, send, port: new URL(upstream.url).port }
}

const MEGABYTE = Buffer.alloc(1024 * 1024, 'x')
const sizeOf = async (stream: AsyncIterable<Buffer> | undefined) => {
  let size = 0
  for await (const chunk of stream ?? []) size += chunk.length
  return size
}
const statusOf = (upstream: FakeServer) => upstream.received.map(({ method, url }) => `${method} ${url}`)

for (const [title, answer, message] of [
  [
    '407',
    'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n',
    /CONNECT with status 407/
  ],
  ['403 with a page', 'HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\n\r\n<html>', /CONNECT with status 403/],
  ['502', 'HTTP/1.0 502 Bad Gateway\r\n\r\n', /CONNECT with status 502/],
  ['100', 'HTTP/1.1 100 Continue\r\n\r\n', /CONNECT with status 100/],
  ['a redirect', 'HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example.com/\r\n\r\n', /CONNECT with status 302/],
  ['something other than HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', /not answer CONNECT in HTTP/],
  ['a head that is too long', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`, /too long/],
  ['200 and more bytes after it', 'HTTP/1.1 200 OK\r\n\r\nx', /more than its answer/]
] as const)
  t.test(`if a proxy answers CONNECT with ${title}, the connection fails and nothing is sent`, async t => {
    const { proxy, upstream, send } = await chainFor(t, { authorization: AUTHORIZATION })
    proxy.answer = answer
    const error = await send().catch((error: unknown) => error)
    t.match(error, { name: 'AttemptError', phase: 'unsent', reason: 'broken', cause: { message } })
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), AUTHORIZATION)
    t.strictSame(upstream.received, [])
    proxy.answer = undefined
    t.equal((await send()).status, 200, 'the next request makes a new connection')
  })

t.test('if the proxy does not listen, the connection fails', async t => {
  const proxy = { isSecure: false, hostname: '127.0.0.1', port: 1 }
  const client = createHttpClient({ url: 'https://localhost:9/', connections: 1, proxy })
  t.teardown(() => client.close())
  await t.rejects(client.request({ fields: '', body: '', timeoutMs: 30_000, signal: new AbortController().signal }), {
    phase: 'unsent',
    cause: { code: 'ECONNREFUSED' }
  })
})

t.test('if a proxy does not answer CONNECT, the request times out, and closing the client closes the connection', async t => {
  const { proxy, client, send } = await chainFor(t)
  proxy.answer = ''
  await t.rejects(send('{}', 200), { name: 'AttemptError', phase: 'unsent', reason: 'timeout' })
  client.close()
  while (proxy.sockets.size > 0) await new Promise(setImmediate)
})

t.test('if a proxy closes instead of answering CONNECT, the connection fails', async t => {
  const { proxy, send } = await chainFor(t)
  proxy.answer = ''
  const outcome = t.rejects(send(), { name: 'AttemptError', phase: 'unsent', reason: 'broken' })
  while (proxy.received.length === 0) await new Promise(setImmediate)
  for (const socket of proxy.sockets) socket.end()
  await outcome
})

t.test('if the proxy has an untrusted certificate, the connection fails', async t => {
  setDefaultCACertificates(before)
  t.teardown(() => setDefaultCACertificates([...before, certificate.cert]))
  const { proxy, send } = await chainFor(t, { isProxySecure: true })
  await t.rejects(send(), { phase: 'unsent', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })
  t.strictSame(proxy.received, [])
})

t.test('if a proxy breaks off in the middle of an answer, the answer fails', async t => {
  const { proxy, send } = await chainFor(t, {
    answer: response => {
      response.writeHead(200, { 'content-length': String(2 * MEGABYTE.length) })
      response.write(MEGABYTE, () => {
        for (const socket of proxy.sockets) socket.destroy()
      })
    }
  })
  const outcome = await send()
    .then(({ stream }) => sizeOf(stream))
    .catch((error: unknown) => error)
  t.match(outcome, { name: 'AttemptError', phase: 'answered', reason: 'broken' })
})

t.test('a certificate for another name than the upstream is refused inside the tunnel', async t => {
  const { proxy, upstream, port } = await chainFor(t)
  const client = createHttpClient({
    url: `https://127.0.0.1:${port}/`,
    connections: 1,
    proxy: { isSecure: false, hostname: '127.0.0.1', port: proxy.port }
  })
  t.teardown(() => client.close())
  await t.rejects(client.request({ fields: '', body: '', timeoutMs: 30_000, signal: new AbortController().signal }), {
    phase: 'unsent',
    cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
  })
  t.strictSame(upstream.received, [])
})

for (const isProxySecure of [false, true]) {
  const kind = isProxySecure ? 'https' : 'http'

  t.test(`an https upstream is reached through one tunnel of an ${kind} proxy, which sees neither request nor header`, async t => {
    const { proxy, upstream, send, port } = await chainFor(t, { isProxySecure, authorization: AUTHORIZATION })
    for (const body of ['one', 'two']) t.match(String((await send(body)).head), body)
    t.strictSame(
      proxy.received.map(({ method, target }) => `${method} ${target}`),
      [`CONNECT localhost:${port}`]
    )
    t.equal(proxy.received[0]?.headers['proxy-authorization'], AUTHORIZATION)
    t.equal(proxy.received[0]?.headers['x-a'], undefined)
    t.strictSame(statusOf(upstream), ['POST /v1/graphql?a=b', 'POST /v1/graphql?a=b'])
    t.equal(upstream.received[0]?.headers['proxy-authorization'], undefined)
    t.equal(upstream.sockets.size, 1)
  })

  t.test(`an http upstream is requested by its full URL through an ${kind} proxy`, async t => {
    const { proxy, upstream, send, port } = await chainFor(t, { isSecure: false, isProxySecure, authorization: AUTHORIZATION })
    for (const body of ['one', 'two']) t.match(String((await send(body)).head), body)
    t.strictSame(
      proxy.received.map(({ method, target }) => `${method} ${target}`),
      [`POST http://localhost:${port}/v1/graphql?a=b`, `POST http://localhost:${port}/v1/graphql?a=b`]
    )
    t.equal(proxy.received[0]?.headers['proxy-authorization'], AUTHORIZATION)
    t.equal(upstream.received[0]?.headers.host, `localhost:${port}`)
  })

  t.test(`a large answer arrives complete through a tunnel of an ${kind} proxy, at the reader's pace`, async t => {
    const { send } = await chainFor(t, {
      isProxySecure,
      answer: response => void response.writeHead(200).end(Buffer.concat(Array.from({ length: 8 }, () => MEGABYTE)))
    })
    t.equal(await sizeOf((await send()).stream), 8 * MEGABYTE.length)
  })
}

t.test('if the proxy URL has no credentials, none are sent', async t => {
  const { proxy, send } = await chainFor(t)
  await send()
  t.equal(proxy.received[0]?.headers['proxy-authorization'], undefined)
})
