// Takes the screenshots in docs/: run `node sandbox/pictures.ts` beside a running sandbox. Needs Chromium; CHROMIUM names another path.
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const SERVICE = process.argv[2] ?? 'http://127.0.0.1:3000'
const QUERY = 'query Users {\n  users(limit: 3, order_by: {id: asc}) {\n    id\n    name\n  }\n}'
const fileOf = (name: string) => fileURLToPath(new URL(`../docs/${name}.png`, import.meta.url))

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu']
})
try {
  const page = await browser.newPage({ viewport: { width: 960, height: 540 } })
  await page.goto(`${SERVICE}/documentation`)
  await page.getByText('/execute-graphql').first().waitFor()
  await page
    .locator('.opblock-tag-section')
    .first()
    .evaluate(section => section.scrollIntoView())
  await page.screenshot({ path: fileOf('documentation') })
  await page.goto(`${SERVICE}/graphiql?query=${encodeURIComponent(QUERY)}`)
  await page.locator('.graphiql-execute-button').click()
  await page.getByText('grace').first().waitFor()
  await page.screenshot({ path: fileOf('explorer') })
} finally {
  await browser.close()
}
