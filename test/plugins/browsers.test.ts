// Pages of other sites cannot run operations: tested with the headers of a browser, and in a real browser.
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { hasChromium, openPage, startBrowser } from '../support/browser.ts'
import { codeOf, startGateway } from '../support/gateway.ts'
import { listen } from '../support/listen.ts'
import { RawClient } from '../support/raw-client.ts'

const MUTATION = 'mutation Drop { drop }'

async function gatewayFor(t: Test, settings: Record<string, string> = {}) {
  const folder = t.testdir({ 'drop.graphql': MUTATION, 'find.graphql': 'query Find { find }' })
  const gateway = await startGateway({ settings: { OPERATIONS_DIR: folder, ...settings } })
  t.teardown(() => gateway.close())
  await gateway.hasura.hasReceived(1) // the schema
  return gateway
}

t.test('a request that a browser marks as cross-site is refused, GET included', async t => {
  const { url, hasura } = await gatewayFor(t)
  for (const site of ['cross-site', 'same-site']) {
    for (const path of ['/execute-graphql?query={a}', '/operations/find', '/operations']) {
      const answer = await fetch(url + path, { headers: { 'sec-fetch-site': site } })
      t.equal(answer.status, 403, `${site} ${path}`)
      t.equal(await codeOf(answer), 'CROSS_SITE_REQUEST')
    }
  }
  t.notOk(hasura.received.some(({ body }) => body.includes('find')))
})

t.test('a listed origin may call, another may not', async t => {
  const { url } = await gatewayFor(t, { CORS_ORIGINS: 'https://app.example.com' })
  const ask = (origin: string) => fetch(`${url}/operations/find`, { headers: { 'sec-fetch-site': 'cross-site', origin } })
  t.equal((await ask('https://app.example.com')).status, 200)
  t.equal((await ask('https://evil.example.com')).status, 403)
})

t.test('requests from the site itself, from the address bar and from programs run', async t => {
  const { url } = await gatewayFor(t)
  for (const site of ['same-origin', 'none'])
    t.equal((await fetch(`${url}/operations/find`, { headers: { 'sec-fetch-site': site } })).status, 200)
  t.equal((await fetch(`${url}/operations/find`)).status, 200)
})

t.test('a POST without a JSON content type is refused, with or without a body', async t => {
  const { url, hasura } = await gatewayFor(t)
  for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
    const answer = await fetch(`${url}/operations/drop`, { method: 'POST', headers: type === undefined ? {} : { 'content-type': type } })
    t.equal(answer.status, 415, type ?? 'none')
    t.equal(await codeOf(answer), 'UNSUPPORTED_MEDIA_TYPE')
  }
  const client = new RawClient(url)
  t.equal((await client.send('POST /operations/drop HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n'))?.status, 415)
  client.close()
  t.notOk(hasura.received.some(({ body }) => body.includes('drop')))
  const json = await fetch(`${url}/operations/drop`, { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8' } })
  t.equal(json.status, 200, 'an empty body counts as no body')
})

t.test('on a loopback address, a Host that is not a loopback name is refused', async t => {
  const { url, hasura } = await gatewayFor(t)
  const client = new RawClient(url)
  t.teardown(() => client.close())
  const ask = async (host: string, path: string) => client.send(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
  for (const path of ['/execute-graphql?query={a}', '/operations', '/nope']) {
    const answer = await ask('rebound.example.com', path)
    t.equal(answer?.status, 421, path)
    t.match(answer?.body, '"MISDIRECTED_REQUEST"')
  }
  for (const host of ['localhost.example.com', '128.0.0.1', '127.0.0.1.example.com', '[::2]', ''])
    t.equal((await ask(host, '/operations'))?.status, 421, host)
  for (const host of ['localhost', 'app.localhost:3000', '127.0.0.1:3000', '127.8.9.1', '[::1]:3000'])
    t.equal((await ask(host, '/operations'))?.status, 200, host)
  t.equal((await ask('rebound.example.com', '/health/live'))?.status, 200, 'probes may use any name')
  t.notOk(hasura.received.some(({ body }) => body.includes('"{a}"')))
})

t.test('with caller authentication, any Host is allowed', async t => {
  const keys = `${t.testdir({ 'keys.json': '{"callers":[]}' })}/keys.json`
  const gateway = await startGateway({ settings: { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: keys } })
  t.teardown(() => gateway.close())
  const client = new RawClient(gateway.url)
  t.teardown(() => client.close())
  t.equal((await client.send('GET /operations HTTP/1.1\r\nhost: api.example.com\r\n\r\n'))?.status, 401)
})

t.test('two Host headers are refused', async t => {
  const { url } = await gatewayFor(t)
  const client = new RawClient(url)
  const answer = await client.send('GET /operations HTTP/1.1\r\nhost: localhost\r\nHOST: 127.0.0.1\r\n\r\n')
  client.close()
  t.equal(answer?.status, 400)
  t.match(answer?.body, '"INVALID_REQUEST"')
})

t.test('no page of another site runs a mutation in Chromium', { skip: !hasChromium && 'Chromium is not on this machine' }, async t => {
  const { url, hasura } = await gatewayFor(t)
  const attacks = `
    const post = (path, options) => fetch('${url}' + path, { method: 'POST', mode: 'no-cors', ...options })
    await Promise.allSettled([
      post('/operations/drop'),
      post('/operations/drop', { body: '{}' }),
      post('/execute-graphql', { body: JSON.stringify({ query: '${MUTATION}' }) }),
      fetch('${url}/execute-graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: '${MUTATION}' }) }),
    ])
    navigator.sendBeacon('${url}/operations/drop')
    navigator.sendBeacon('${url}/operations/drop', new Blob(['{}'], { type: 'text/plain' }))
    const image = new Image()
    await new Promise(resolve => { image.onload = image.onerror = resolve; image.src = '${url}/operations/find' })
    const frame = document.createElement('iframe')
    await new Promise(resolve => { frame.onload = resolve; frame.src = '${url}/operations/find'; document.body.append(frame) })
    document.title = 'done'`
  const evil = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end(`<body><script type="module">${attacks}</script>`)
  )
  t.teardown(() => evil.close())
  const browser = await startBrowser()
  t.teardown(() => browser.close())
  const { page } = await openPage(browser, 1280)
  // Another host name is another site, although it is the same machine.
  await page.goto(`http://evil.localhost:${await listen(evil)}/`)
  await page.waitForFunction('document.title === "done"')
  t.notOk(
    hasura.received.some(({ body }) => /drop|find/.test(body)),
    'Hasura hears of none of it'
  )
})
