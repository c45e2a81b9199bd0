// Debian's Chromium, driven by Playwright; tests that need it say so where it is not there.
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Whether the program is on this machine; `CHROMIUM` names another place for it. */
export const hasChromium = existsSync(EXECUTABLE)

/** Starts it, without anything of its own that would ask other machines. */
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

/** What a page did that its reader did not see. */
export type PageWatch = { hosts: Set<string>; complaints: string[] }

/** Opens a page that nothing is known of, and watches whom it asks and what it complains of. */
export async function openPage(browser: Browser, width: number): Promise<{ page: Page; watch: PageWatch }> {
  const context = await browser.newContext({ viewport: { width, height: 844 } })
  context.setDefaultTimeout(120_000)
  const page = await context.newPage()
  const watch: PageWatch = { hosts: new Set(), complaints: [] }
  context.on('request', request => {
    // Data and blob URLs name no host: nothing is asked for them.
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
