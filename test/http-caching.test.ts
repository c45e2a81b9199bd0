// Real HTTP caches reuse a stored operation's answer to GET, and only for the callers that may have it.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hasChromium, startBrowser } from './support/browser.ts'
import { keysFile } from './support/caller-keys.ts'
import { sendJson } from './support/fake-server.ts'
import { startGateway } from './support/gateway.ts'
import { hasNginx, startNginx } from './support/nginx.ts'

const OPERATION = 'query Users($limit: Int!) @cached(ttl: 600) { users(limit: $limit) { id } }'
const PATH = '/operations/users?limit=5'

async function gatewayFor(t: Test, settings: Record<string, string> = {}) {
  const folder = t.testdir({ operations: { 'users.graphql': OPERATION }, 'keys.json': keysFile({ one: {}, two: {} }), nginx: {} })
  const gateway = await startGateway({
    hasura: (response, { headers }, count) =>
      sendJson(response, `{"data":{"role":"${headers['x-hasura-role'] ?? 'none'}","count":${count}}}`),
    settings: { OPERATIONS_DIR: join(folder, 'operations'), CALLER_KEYS_FILE: join(folder, 'keys.json'), ...settings }
  })
  t.teardown(() => gateway.close())
  /** How many requests of the stored operation have reached the gateway. */
  const reached = async () => {
    const { values } = await gateway.app.metrics.storedOperations.get()
    return values.reduce((sum, { value }) => sum + value, 0)
  }
  return { ...gateway, nginxFolder: join(folder, 'nginx'), reached }
}

const noNginx = hasNginx ? false : 'nginx is not installed'

t.test('nginx reuses an answer for the same role and coding until it expires', { skip: noNginx }, async t => {
  const { url, nginxFolder, reached } = await gatewayFor(t, { HASURA_ALLOWED_ROLES: 'one,two' })
  const nginx = await startNginx(nginxFolder, url)
  t.teardown(() => nginx.stop())
  const get = async (headers: Record<string, string>) => {
    const answer = await fetch(nginx.url + PATH, { headers: { 'accept-encoding': 'identity', ...headers } })
    return {
      status: answer.status,
      cache: answer.headers.get('x-proxy-cache'),
      etag: answer.headers.get('etag') ?? '',
      text: await answer.text()
    }
  }
  const first = await get({})
  t.match(first, { status: 200, cache: 'MISS' })
  t.match(await get({}), { cache: 'HIT', text: first.text })
  t.match(await get({ 'if-none-match': first.etag }), { status: 304, cache: 'HIT' })
  t.equal(await reached(), 1)
  for (const role of ['one', 'two']) {
    t.match(await get({ 'x-hasura-role': role }), { cache: 'MISS', text: new RegExp(`"role":"${role}"`) })
    t.match(await get({ 'x-hasura-role': role }), { cache: 'HIT', text: new RegExp(`"role":"${role}"`) })
  }
  t.match(await get({ 'x-hasura-role': 'admin' }), { status: 403 })
  t.match(await get({ accept: 'application/graphql-response+json' }), { cache: 'MISS' })
  t.match(await get({ accept: 'text/html' }), { status: 406 })
})

t.test('if callers are known, nginx does not give an answer to another caller', { skip: noNginx }, async t => {
  const { url, nginxFolder } = await gatewayFor(t, { CALLER_AUTH: 'api-key' })
  const nginx = await startNginx(nginxFolder, url)
  t.teardown(() => nginx.stop())
  const get = (headers: Record<string, string>) => fetch(nginx.url + PATH, { headers })
  for (const [headers, status] of [
    [{ 'x-api-key': 'one-key' }, 200],
    [{ 'x-api-key': 'one-key' }, 200],
    [{ 'x-api-key': 'two-key' }, 200],
    [{ authorization: 'Bearer one-key' }, 200],
    [{ 'x-api-key': 'nobody' }, 401],
    [{}, 401]
  ] as [Record<string, string>, number][]) {
    const answer = await get(headers)
    t.equal(answer.status, status)
    t.not(answer.headers.get('x-proxy-cache'), 'HIT')
    await answer.text()
  }
})

t.test(
  'a browser reuses an answer, and only for the key that it was sent for',
  { skip: hasChromium ? false : 'Chromium is not installed' },
  async t => {
    const { url, reached } = await gatewayFor(t, { CALLER_AUTH: 'api-key' })
    const browser = await startBrowser()
    t.teardown(() => browser.close())
    const page = await browser.newPage()
    page.setDefaultTimeout(120_000)
    await page.goto(`${url}/health/live`)
    const get = (key: string) =>
      page.evaluate(`fetch('${PATH}', { headers: { 'x-api-key': '${key}' } }).then(async answer => [answer.status, await answer.text()])`)
    const first = await get('one-key')
    t.strictSame(await get('one-key'), first)
    t.equal(await reached(), 1)
    t.match(await get('nobody'), [401])
    t.match(await get('two-key'), [200])
    t.equal(await reached(), 2)
  }
)
