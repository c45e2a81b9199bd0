// An exchange through a proxy: a tunnel for https, a forwarded request for http, and every refusal of a proxy.
import { createServer as createHttpsServer } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { createClientTokenApi } from '../../src/cognito/client-token-api.ts'
import { createTokenEndpoint } from '../../src/cognito/token-endpoint.ts'
import { startFakeProxy } from '../support/fake-proxy.ts'
import { fakeServerFor, sendJson, startFakeServer } from '../support/fake-server.ts'
import { makeSelfSigned } from '../support/self-signed.ts'

const AUTHORIZATION = `Basic ${Buffer.from('user:hush').toString('base64')}`
const TOKEN = { access_token: 'eyJ.a.b', expires_in: 3600, token_type: 'Bearer' }
const CLIENT = { clientId: 'machine', scopes: [] }

const certificate = makeSelfSigned()
const before = getCACertificates('default')
setDefaultCACertificates([...before, certificate.cert])
t.teardown(() => setDefaultCACertificates(before))

/** A Cognito, a proxy in front of it, and a client that uses both. */
async function chainFor(t: Test, { isSecure = true, isProxySecure = false, timeoutMs = 10_000 } = {}) {
  const cognito = await startFakeServer(response => sendJson(response, TOKEN), isSecure ? createHttpsServer(certificate) : undefined)
  const proxy = await startFakeProxy(isProxySecure ? certificate : undefined)
  const domain = cognito.url.replace('127.0.0.1', 'localhost')
  const address = { isSecure: isProxySecure, hostname: isProxySecure ? 'localhost' : '127.0.0.1', port: proxy.port }
  const endpoint = createTokenEndpoint(domain, { ...CLIENT, timeoutMs, proxy: { ...address, authorization: AUTHORIZATION } })
  t.teardown(async () => {
    await endpoint.close()
    await Promise.all([cognito.close(), proxy.close()])
  })
  return { cognito, proxy, endpoint, address, domain, host: new URL(domain).host }
}

for (const [title, answer] of [
  ['407', 'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n'],
  ['502', 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n']
] as const)
  t.test(`a proxy that answers CONNECT with ${title} leaves Cognito unreachable, and nothing is sent`, async t => {
    const { cognito, proxy, endpoint } = await chainFor(t)
    proxy.answer = answer
    const error = await endpoint.exchange('secret').catch((error: unknown) => error)
    t.match(error, { code: 'unreachable', message: /proxy/ })
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), /hush|dXNlcjpodXNo/)
    t.strictSame(cognito.received, [])
  })

t.test('a proxy that does not answer is a time-out, and does not delay the next exchange', async t => {
  const { proxy, endpoint } = await chainFor(t, { timeoutMs: 2_000 })
  proxy.answer = ''
  await t.rejects(endpoint.exchange('secret'), { code: 'timeout' })
  while (proxy.sockets.size > 0) await new Promise(setImmediate)
  proxy.answer = undefined
  t.match(await endpoint.exchange('secret'), { accessToken: 'eyJ.a.b' })
})

t.test('a proxy that closes instead of answering leaves Cognito unreachable', async t => {
  const { proxy, endpoint } = await chainFor(t)
  proxy.answer = ''
  const outcome = t.rejects(endpoint.exchange('secret'), { code: 'unreachable' })
  while (proxy.received.length === 0) await new Promise(setImmediate)
  for (const socket of proxy.sockets) socket.end()
  await outcome
})

t.test('a forwarded request that the proxy answers 407 is unreachable', async t => {
  const server = await fakeServerFor(t, response => response.writeHead(407).end())
  const proxy = { isSecure: false, hostname: '127.0.0.1', port: Number(new URL(server.url).port) }
  const endpoint = createTokenEndpoint('http://cognito.example.com', { ...CLIENT, proxy, timeoutMs: 2_000 })
  t.teardown(() => endpoint.close())
  await t.rejects(endpoint.exchange('secret'), { code: 'unreachable' })
})

for (const isProxySecure of [false, true]) {
  const kind = isProxySecure ? 'https' : 'http'

  t.test(`an https Cognito is reached through a tunnel of an ${kind} proxy, which sees no secret`, async t => {
    const { cognito, proxy, endpoint, host } = await chainFor(t, { isProxySecure })
    t.match(await endpoint.exchange('secret'), { accessToken: 'eyJ.a.b' })
    t.match(proxy.received, [{ method: 'CONNECT', target: host, headers: { 'proxy-authorization': AUTHORIZATION } }])
    t.match(cognito.received, [{ url: '/oauth2/token', headers: { 'proxy-authorization': undefined } }])
  })

  t.test(`an http Cognito is requested by its whole URL through an ${kind} proxy`, async t => {
    const { cognito, proxy, endpoint, domain } = await chainFor(t, { isSecure: false, isProxySecure })
    t.match(await endpoint.exchange('secret'), { accessToken: 'eyJ.a.b' })
    t.match(proxy.received, [{ method: 'POST', target: `${domain}/oauth2/token`, headers: { 'proxy-authorization': AUTHORIZATION } }])
    t.equal(cognito.received.length, 1)
  })
}

t.test('GetClientToken uses the proxy too', async t => {
  const { cognito, proxy, address, domain, host } = await chainFor(t)
  cognito.answer = response => sendJson(response, { ClientAuthenticationResult: { AccessToken: 'a', ExpiresIn: 60, TokenType: 'Bearer' } })
  const api = createClientTokenApi(domain, { ...CLIENT, proxy: address })
  t.teardown(() => api.close())
  t.match(await api.exchange('secret'), { accessToken: 'a' })
  t.match(proxy.received, [{ method: 'CONNECT', target: host, headers: { 'proxy-authorization': undefined } }])
})
