// GET /: the home page, with the state of the service and links to its other pages.
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { LAST_CALL_FAILED } from '../../src/hasura/call-failure.ts'
import { serviceVersion } from '../../src/version.ts'
import { escapeHtml, htmlPage } from './page.ts'

const NAME = 'Cognito-Hasura gateway'

/** The pages, by address. */
const LINKS: readonly (readonly [path: string, what: string])[] = [
  ['/documentation', 'how to call the service, with every field and error'],
  ['/graphiql', 'explorer: write a query and see the result'],
  ['/operations', 'stored operations, called by name'],
  ['/health/ready', 'readiness as JSON, for operators and load balancers'],
  ['/health/live', 'liveness as JSON']
]

const STYLE = `<style>
:root { color-scheme: light dark; --quiet: light-dark(#5a6270, #a0a8b5); --line: light-dark(#d8dce3, #3a404b); --link: light-dark(#2450b8, #9db8ff) }
body { margin: 0 auto; max-width: 42rem; padding: 2rem 1.25rem; font: 1rem/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.5rem }
h1 small { font-size: 1rem; font-weight: normal; color: var(--quiet); white-space: nowrap }
.state { border-left: .3rem solid light-dark(#b3261e, #ff8a80); padding: .1rem 1rem; margin: 1.5rem 0 }
.ready { border-color: light-dark(#1e7d32, #6fcf80) }
.state p { margin: .4rem 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1.5rem; margin: 0 }
dt, dd { margin: 0; padding: .5rem 0; border-top: 1px solid var(--line) }
dl { border-bottom: 1px solid var(--line) }
dd, footer { color: var(--quiet) }
dd { margin-left: -1.5rem; padding-left: 1.5rem }
a { color: var(--link) }
footer { margin-top: 1.5rem; font-size: .875rem }
@media (max-width: 32rem) { dl { display: block } dd { border: 0; padding-top: 0; margin: 0; padding-left: 0 } dt { padding-bottom: 0 } }
</style>`

/** Returns a duration in a readable unit, from "12 s" to "23 h". */
function inWords(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}

/** Describes the state of the service; the first sentence says whether it is ready. */
function describeState(app: FastifyInstance): { isReady: boolean; sentences: string[] } {
  const { isReady, reasons } = app.readiness()
  const { state, expiresInSeconds = 0, nextExchangeInSeconds } = app.tokenManager.status()
  const isHasuraFailing = reasons.some(reason => reason.startsWith(LAST_CALL_FAILED))
  const ready = isHasuraFailing ? 'Ready, but Hasura fails.' : 'Ready: operations run.'
  const sentences = [isReady ? ready : 'Not ready: operations are answered with 503.', ...reasons]
  if (state === 'fresh' || state === 'stale') {
    const renewal = nextExchangeInSeconds === undefined ? 'is being renewed' : `is renewed in ${inWords(nextExchangeInSeconds)}`
    sentences.push(`The token for Hasura is ${state}: it expires in ${inWords(expiresInSeconds)} and ${renewal}.`)
  }
  return { isReady, sentences }
}

function writeHtml({ isReady, sentences }: ReturnType<typeof describeState>, links: typeof LINKS): string {
  const state = sentences.map((sentence, n) => `<p>${n === 0 ? `<strong>${escapeHtml(sentence)}</strong>` : escapeHtml(sentence)}</p>`)
  const rows = links.map(([path, what]) => `<dt><a href="${path}">${path}</a></dt><dd>${escapeHtml(what)}</dd>`)
  return htmlPage(
    NAME,
    STYLE,
    `<main>
<h1>${NAME} <small>${serviceVersion}</small></h1>
<p>Send GraphQL as plain JSON to <code>POST /execute-graphql</code>; Hasura's answer is returned unchanged.</p>
<div class="state${isReady ? ' ready' : ''}">${state.join('')}</div>
<dl>${rows.join('\n')}</dl>
</main>
<footer>Reload this page for the current state.</footer>`
  )
}

const writeText = ({ sentences }: ReturnType<typeof describeState>, links: typeof LINKS) =>
  `${[`${NAME} ${serviceVersion}`, '', ...sentences, '', ...links.map(([path, what]) => `${path}  ${what}`)].join('\n')}\n`

const routes: FastifyPluginAsync = async app => {
  let links = LINKS
  app.addHook('onReady', async () => {
    links = LINKS.filter(([path]) => app.hasRoute({ method: 'GET', url: path }))
  })

  app.get('/', { schema: { hide: true }, config: { isQuiet: true } }, async (request, reply) => {
    const state = describeState(app)
    const isHtml = request.headers.accept?.includes('text/html') ?? false
    return reply
      .type(`${isHtml ? 'text/html' : 'text/plain'}; charset=utf-8`)
      .preventCache()
      .send(isHtml ? writeHtml(state, links) : writeText(state, links))
  })
}

export default routes
