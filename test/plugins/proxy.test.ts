// The service behind a proxy: both upstreams are reached through it unless NO_PROXY lists them, and its credentials appear nowhere.
import t, { type Test } from 'tap'
import { openEvents } from '../support/event-reader.ts'
import { startFakeProxy } from '../support/fake-proxy.ts'
import { codeOf, type GatewayOptions, startGateway } from '../support/gateway.ts'
import { liveHasuraFor } from '../support/live-hasura.ts'
import { watchLog } from '../support/watch-log.ts'

const HIDDEN = /hush|dXNlcjpodXNo/

/** A service with a proxy whose URL contains credentials; all output is in `written`. */
async function behindProxy(t: Test, settingsFor: (proxyUrl: string) => Record<string, string>, options: GatewayOptions = {}) {
  const proxy = await startFakeProxy()
  const { logger, lines: written } = watchLog('trace')
  const settings = settingsFor(proxy.url.replace('http://', 'http://user:hush@'))
  const gateway = await startGateway({ ...options, logger, settings })
  t.teardown(async () => {
    await gateway.close()
    await proxy.close()
  })
  return { ...gateway, proxy, written }
}

t.test('a proxy that refuses leaves both upstreams unreachable, and no log, error or metric shows its credentials', async t => {
  const { app, url, post, proxy, written } = await behindProxy(
    t,
    proxyUrl => ({
      HTTP_PROXY: proxyUrl,
      HTTPS_PROXY: proxyUrl,
      NO_PROXY: '127.0.0.1',
      GRAPHQL_ENDPOINT: 'https://hasura.example.com/v1/graphql'
    }),
    {}
  )
  proxy.answer = 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'
  const answer = await post({ query: '{ a }' })
  t.equal(answer.status, 502)
  t.equal(await codeOf(answer), 'UPSTREAM_UNREACHABLE')
  t.match(proxy.received, [{ method: 'CONNECT', target: 'hasura.example.com:443' }])
  written.push(await (await fetch(`${url}/health/ready`)).text(), await app.metrics.registry.metrics())
  t.match(written.join(''), 'the proxy answered CONNECT with status 407')
  t.notMatch(written.join(''), HIDDEN)
})

t.test('if the proxy refuses the tunnel to Cognito, the advice names the proxy, and nothing shows its credentials', async t => {
  const { url, app, written } = await behindProxy(
    t,
    proxyUrl => ({ HTTPS_PROXY: proxyUrl.replace(/\d+$/, '1'), AWS_COGNITO_ENDPOINT: 'https://cognito-idp.example.com' }),
    { isReady: false }
  )
  await t.rejects(async () => app.tokenManager.getToken(), { code: 'TOKEN_UNAVAILABLE' })
  const readiness = await (await fetch(`${url}/health/ready`)).text()
  t.match(readiness, /unreachable.*AWS_COGNITO_ENDPOINT, the proxy/)
  t.notMatch([...written, readiness, await app.metrics.registry.metrics()].join(''), HIDDEN)
})

t.test('both upstreams are reached through the proxy', async t => {
  const { post, proxy, cognito, hasura, written } = await behindProxy(t, proxyUrl => ({ HTTP_PROXY: proxyUrl }))
  t.equal((await post({ query: '{ a }' })).status, 200)
  t.strictSame(
    proxy.received.map(({ target }) => target),
    [`${cognito.url}/oauth2/token`, `${hasura.url}/v1/graphql`]
  )
  for (const { headers } of proxy.received) t.equal(headers['proxy-authorization'], `Basic ${Buffer.from('user:hush').toString('base64')}`)
  for (const { headers } of [...cognito.received, ...hasura.received]) t.equal(headers['proxy-authorization'], undefined)
  t.notMatch(written.join(''), HIDDEN)
})

t.test('subscriptions use a tunnel through the proxy', async t => {
  const live = await liveHasuraFor(t)
  const { url, proxy, written } = await behindProxy(t, proxyUrl => ({
    HTTP_PROXY: proxyUrl,
    GRAPHQL_ENDPOINT: live.url,
    GRAPHQL_ALLOWED_OPERATIONS: 'query,subscription'
  }))
  const events = await openEvents(`${url}/execute-graphql`, { body: { query: 'subscription { n }' } })
  t.same(await events.next(), { type: 'next', data: '{"data":{"n":0}}' })
  const tunnel = proxy.received.find(({ method }) => method === 'CONNECT')
  t.equal(tunnel?.target, new URL(live.url).host)
  t.equal(tunnel?.headers['proxy-authorization'], `Basic ${Buffer.from('user:hush').toString('base64')}`)
  t.notMatch(written.join(''), HIDDEN)
})

t.test('subscriptions through a proxy that refuses end with UPSTREAM_UNREACHABLE', async t => {
  const { url, proxy, written } = await behindProxy(t, proxyUrl => ({
    HTTPS_PROXY: proxyUrl,
    GRAPHQL_ENDPOINT: 'https://hasura.example.com/v1/graphql',
    GRAPHQL_ALLOWED_OPERATIONS: 'subscription',
    GRAPHQL_TIMEOUT_MS: '500'
  }))
  proxy.answer = 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'
  const events = await openEvents(`${url}/execute-graphql`, { body: { query: 'subscription { n }' } })
  t.match((await events.next())?.data, 'UPSTREAM_UNREACHABLE')
  t.match(written.join(''), 'the proxy answered CONNECT with status 407')
  t.notMatch(written.join(''), HIDDEN)
})

t.test('hosts in NO_PROXY are reached without the proxy', async t => {
  const { post, proxy } = await behindProxy(t, proxyUrl => ({ HTTP_PROXY: proxyUrl, NO_PROXY: 'example.com, 127.0.0.0/8' }))
  t.equal((await post({ query: '{ a }' })).status, 200)
  t.strictSame(proxy.received, [])
})
