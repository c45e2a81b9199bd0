// Debian's Chromium, driven by Playwright; tests that need it are skipped if it is missing.
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Whether Chromium is installed; `CHROMIUM` names another path. */
export const hasChromium = existsSync(EXECUTABLE)

/** Starts it, without the features that would call other machines. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync'
    ]
  })

/** What a page did in the background. */
type PageWatch = { hosts: Set<string>; complaints: string[] }

/** Opens a page with an empty profile, and records the hosts that it calls and the errors that it logs. */
export async function openPage(browser: Browser, width: number): Promise<{ page: Page; watch: PageWatch }> {
  const context = await browser.newContext({ viewport: { width, height: 844 } })
  context.setDefaultTimeout(120_000)
  const page = await context.newPage()
  const watch: PageWatch = { hosts: new Set(), complaints: [] }
  context.on('request', request => {
    // Data and blob URLs have no host, so nothing is requested.
    const { host } = new URL(request.url())
    if (host) watch.hosts.add(host)
  })
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) watch.complaints.push(message.text())
  })
  page.on('pageerror', error => watch.complaints.push(error.message))
  page.on('requestfailed', request => watch.complaints.push(`${request.url()} ${request.failure()?.errorText}`))
  return { page, watch }
}
