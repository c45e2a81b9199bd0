// The web pages: in a browser, at desktop and phone widths, under their content security policy.
import t from 'tap'
import { hasChromium, openPage, startBrowser } from './support/browser.ts'
import { codeOf, gatewayFor } from './support/gateway.ts'
import { sandboxFor } from './support/sandbox.ts'

const PAGES = ['/', '/documentation', '/graphiql']
const WIDTHS = [1280, 390]
const QUERY = 'query Orders($id: Int!) { orders(where: {id: {_eq: $id}}) { id number } }'
const skip = !hasChromium && 'chromium is not installed'

t.test('DOCS_ENABLED=false serves no page', async t => {
  const gateway = await gatewayFor(t)
  for (const path of [...PAGES, '/documentation/json']) {
    const answer = await fetch(gateway.url + path)
    t.equal(answer.status, 404, path)
    t.equal(await codeOf(answer), 'NOT_FOUND')
  }
})

t.test('if callers must authenticate, so must readers of the pages', async t => {
  const keys = t.testdir({ 'callers.json': JSON.stringify({ callers: [{ name: 'web', keySha256: ['ab'.repeat(32)] }] }) })
  const settings = { DOCS_ENABLED: 'true', CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: `${keys}/callers.json` }
  const gateway = await gatewayFor(t, { settings })
  for (const path of PAGES) t.equal((await fetch(gateway.url + path)).status, 401, path)
})

t.test('the home page says that the service is not ready and why, and shows no secret', async t => {
  const gateway = await gatewayFor(t, {
    settings: { DOCS_ENABLED: 'true' },
    cognito: response => response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}'),
    isReady: false
  })
  await t.rejects(async () => gateway.app.tokenManager.getToken())
  for (const accept of ['text/html', '*/*']) {
    const page = await fetch(gateway.url, { headers: { accept } })
    t.equal(page.status, 200)
    t.match(page.headers.get('content-type'), accept === 'text/html' ? 'text/html' : 'text/plain')
    t.equal(page.headers.get('cache-control'), 'no-store, max-age=0, private')
    const text = await page.text()
    t.match(text, /Not ready: operations are answered with 503\./)
    t.match(text, /invalid_client/)
    t.notMatch(text, /client-secret|client-id/)
  }
})

t.test('every page allows only its own scripts, and none inline', async t => {
  const gateway = await gatewayFor(t, { settings: { DOCS_ENABLED: 'true' } })
  for (const path of PAGES) {
    const page = await fetch(gateway.url + path, { headers: { accept: 'text/html' } })
    const policy = page.headers.get('content-security-policy') ?? ''
    t.match(policy, /default-src 'self'/, path)
    t.notMatch(policy, /unsafe-eval|script-src|https?:/, path)
    t.notMatch(await page.text(), /<script(?![^>]* src="\/?[^/])/, path)
  }
})

t.test('the files of the explorer are the same with and without gzip, and may be cached', async t => {
  const gateway = await gatewayFor(t, { settings: { DOCS_ENABLED: 'true' } })
  const page = await (await fetch(`${gateway.url}/graphiql`)).text()
  const [, path] = /src="([^"]+start\.js)"/.exec(page) ?? []
  const [zipped, plain] = await Promise.all(
    ['gzip', 'identity'].map(encoding => fetch(gateway.url + path, { headers: { 'accept-encoding': encoding } }))
  )
  t.equal(zipped?.headers.get('content-encoding'), 'gzip')
  t.equal(plain?.headers.get('content-encoding'), null)
  t.match(plain?.headers.get('cache-control'), 'immutable')
  t.equal(plain?.headers.get('vary'), 'accept-encoding')
  t.equal(await zipped?.text(), await plain?.text())
})

t.test('in a browser', { skip }, async t => {
  const { url, post } = await sandboxFor(t, { DOCS_ENABLED: 'true', GRAPHQL_ALLOWED_OPERATIONS: 'query,mutation,subscription' })
  const browser = await startBrowser()
  t.teardown(() => browser.close())
  const { host } = new URL(url)

  for (const width of WIDTHS) {
    t.test(`${width} pixels wide, each page is complete, fits, calls only this service and logs no error`, async t => {
      const { page, watch } = await openPage(browser, width)
      t.teardown(() => page.context().close())
      // Waits for the last request of each page, not for a quiet network, because Chromium does not report the end of every worker.
      const shows = [
        ['/', '/', 'text=Ready: operations run.'],
        ['/documentation', '/documentation/json', '.opblock-post'],
        ['/graphiql', '/execute-graphql', '.graphiql-execute-button']
      ] as const
      for (const [path, last, element] of shows) {
        await Promise.all([page.waitForResponse(url + last), page.goto(url + path)])
        await page.locator(element).first().waitFor()
        t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, path)
      }
      t.strictSame([...watch.hosts], [host])
      t.strictSame(watch.complaints, [])
    })

    t.test(`${width} pixels wide, the explorer runs a query with variables and headers and shows every digit`, async t => {
      const { page, watch } = await openPage(browser, width)
      t.teardown(() => page.context().close())
      await page.goto(`${url}/graphiql?query=${encodeURIComponent(QUERY)}`)
      await page.locator('.graphiql-editor-tool .view-lines').first().click()
      await page.keyboard.type('{"id": 2')
      await page.getByRole('button', { name: 'Headers' }).click()
      await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines').click()
      await page.keyboard.type('{"x-api-key": "k"')
      const [sent] = await Promise.all([
        page.waitForRequest(`${url}/execute-graphql`),
        page.getByRole('button', { name: 'Execute' }).click()
      ])
      t.equal(sent.headers()['x-api-key'], 'k')
      await page.locator('.result-window').getByText('9007199254740993').waitFor()
      t.strictSame([...watch.hosts], [host])
      t.strictSame(watch.complaints, [])
      t.notMatch(await page.evaluate('JSON.stringify(localStorage)'), /x-api-key/, 'a credential is not kept')
      t.notMatch(page.url(), /x-api-key/)
    })
  }

  t.test('the explorer shows a live query as it changes', async t => {
    const { page, watch } = await openPage(browser, 1280)
    t.teardown(() => page.context().close())
    await page.goto(`${url}/graphiql?query=${encodeURIComponent('subscription { users(where: {id: {_eq: 3}}) { name } }')}`)
    await page.getByRole('button', { name: 'Execute' }).click()
    await page.locator('.result-window').getByText('linus').waitFor()
    await post({ query: 'mutation { update_users_by_pk(pk_columns: {id: 3}, _set: {name: "benedict"}) { id } }' })
    await page.locator('.result-window').getByText('benedict').waitFor()
    t.strictSame([...watch.hosts], [host])
    t.strictSame(watch.complaints, [])
  })

  t.test('the documentation sends the example and shows the answer', async t => {
    const { page, watch } = await openPage(browser, 1280)
    t.teardown(() => page.context().close())
    await page.goto(`${url}/documentation`)
    await page.locator('.opblock-post .opblock-summary').first().click()
    await page.getByRole('button', { name: 'Execute', exact: true }).click()
    await page.locator('.live-responses-table').getByText('grace').first().waitFor()
    t.strictSame([...watch.hosts], [host])
    t.strictSame(watch.complaints, [])
  })
})
