// Node's own HTTP client through a proxy's tunnel.
import { request as sendHttp } from 'node:http'
import { createServer as createHttpsServer, request as sendHttps } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import t, { type Test } from 'tap'
import { createTunnelAgent } from '../../src/http1/tunnel-agent.ts'
import { startFakeProxy } from '../support/fake-proxy.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { makeSelfSigned } from '../support/self-signed.ts'

const certificate = makeSelfSigned()
const before = getCACertificates('default')
setDefaultCACertificates([...before, certificate.cert])
t.teardown(() => setDefaultCACertificates(before))

async function chainFor(t: Test, isSecure: boolean, connectTimeoutMs = 60_000) {
  const upstream = await startFakeServer(
    response => void response.writeHead(204).end(),
    isSecure ? createHttpsServer(certificate) : undefined
  )
  const proxy = await startFakeProxy()
  t.teardown(() => Promise.all([upstream.close(), proxy.close()]))
  const url = new URL(upstream.url.replace('127.0.0.1', 'localhost'))
  const agent = createTunnelAgent({ isSecure: false, hostname: '127.0.0.1', port: proxy.port }, url, connectTimeoutMs)
  const send = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const send = isSecure ? sendHttps : sendHttp
      const request = send(url, { agent, method: 'POST' }, response => resolve(response.resume().statusCode))
      request.on('error', reject).end()
    })
  return { proxy, upstream, url, send }
}

for (const isSecure of [true, false]) {
  const kind = isSecure ? 'https' : 'http'

  t.test(`${kind}: a refusal of the proxy fails the request`, async t => {
    const { proxy, upstream, send } = await chainFor(t, isSecure)
    proxy.answer = 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'
    await t.rejects(send(), { message: 'the proxy answered CONNECT with status 403' })
    t.strictSame(upstream.received, [])
  })

  t.test(`${kind}: a proxy that does not answer fails the request, and the connection ends`, async t => {
    const { proxy, send } = await chainFor(t, isSecure, 100)
    proxy.answer = ''
    await t.rejects(send(), { message: 'no tunnel within 100 ms' })
    while (proxy.sockets.size > 0) await new Promise(setImmediate)
  })

  t.test(`${kind}: a proxy that closes instead of answering fails the request`, async t => {
    const { proxy, send } = await chainFor(t, isSecure)
    proxy.answer = ''
    const outcome = t.rejects(send(), { message: 'the proxy closed the connection' })
    while (proxy.received.length === 0) await new Promise(setImmediate)
    for (const socket of proxy.sockets) socket.end()
    await outcome
  })

  t.test(`${kind}: a request uses a tunnel`, async t => {
    const { proxy, upstream, url, send } = await chainFor(t, isSecure)
    t.equal(await send(), 204)
    t.match(proxy.received, [{ method: 'CONNECT', target: url.host }])
    t.equal(upstream.received.length, 1)
  })
}
