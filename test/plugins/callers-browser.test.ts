// HTTP Basic in Chromium, with the key as the password.
import { join } from 'node:path'
import t from 'tap'
import { hasChromium, startBrowser } from '../support/browser.ts'
import { keysFile, sha256 } from '../support/caller-keys.ts'
import { sandboxFor } from '../support/sandbox.ts'

const KEY = 'the-key-of-a-reader'
const skip = !hasChromium && 'chromium is not installed'

t.test('with a key as the password, the documentation and the explorer open and run operations', { skip }, async t => {
  const folder = t.testdir({ 'callers.json': keysFile({ reader: { keySha256: [sha256(KEY)] } }) })
  const { url } = await sandboxFor(t, { DOCS_ENABLED: 'true', CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: join(folder, 'callers.json') })
  const browser = await startBrowser()
  t.teardown(() => browser.close())
  const open = async (password: string) => {
    const context = await browser.newContext({ httpCredentials: { username: 'anyone', password }, viewport: { width: 1280, height: 844 } })
    context.setDefaultTimeout(120_000)
    t.teardown(() => context.close())
    return context.newPage()
  }

  const stranger = await open('wrong')
  for (const path of ['/documentation', '/graphiql']) t.equal((await stranger.goto(url + path))?.status(), 401, path)

  const page = await open(KEY)
  t.equal((await page.goto(`${url}/documentation`))?.status(), 200)
  await page.locator('.opblock-post .opblock-summary').first().click()
  await page.getByRole('button', { name: 'Execute', exact: true }).click()
  await page.locator('.live-responses-table').getByText('grace').first().waitFor()

  const query = encodeURIComponent('{ users { name } }')
  t.equal((await page.goto(`${url}/graphiql?query=${query}`))?.status(), 200)
  const [answer] = await Promise.all([
    page.waitForResponse(response => response.url() === `${url}/execute-graphql` && !response.request().postData()?.includes('__schema')),
    page.getByRole('button', { name: 'Execute' }).click()
  ])
  t.equal(answer.status(), 200)
  await page.locator('.result-window').getByText('grace').waitFor()
})
