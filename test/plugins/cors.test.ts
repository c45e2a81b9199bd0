// Pages of listed origins may call; for all others there is no CORS.
import t from 'tap'
import { codeOf, gatewayFor } from '../support/gateway.ts'

const APP = 'https://app.example.com'
const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-api-key' }

t.test('CORS is off by default', async t => {
  const gateway = await gatewayFor(t)
  const answer = await gateway.post({ query: '{ a }' }, { origin: APP })
  t.equal(answer.headers.get('access-control-allow-origin'), null)
})

t.test('origins that are not listed get no CORS headers', async t => {
  const gateway = await gatewayFor(t, { settings: { CORS_ORIGINS: `${APP},http://localhost:5173` } })
  for (const origin of ['https://evil.example.com', `${APP}.evil.com`, `${APP}:444`, 'http://app.example.com', 'null']) {
    const answer = await gateway.post({ query: '{ a }' }, { origin })
    t.equal(answer.headers.get('access-control-allow-origin'), null, origin)
    const preflight = await fetch(`${gateway.url}/execute-graphql`, { method: 'OPTIONS', headers: { origin, ...PREFLIGHT } })
    t.equal(preflight.status, 405, origin)
    t.equal(await codeOf(preflight), 'METHOD_NOT_ALLOWED')
  }
})

t.test('listed origins may call, and errors have the headers too', async t => {
  const gateway = await gatewayFor(t, { settings: { CORS_ORIGINS: `${APP},http://localhost:5173` } })
  for (const body of [{ query: '{ a }' }, { query: '{' }]) {
    const answer = await gateway.post(body, { origin: APP })
    t.equal(answer.headers.get('access-control-allow-origin'), APP)
    t.equal(answer.headers.get('access-control-allow-credentials'), null)
    t.match(answer.headers.get('access-control-expose-headers'), 'x-request-id')
    t.match(answer.headers.get('vary'), /origin/i)
  }
  const preflight = await fetch(`${gateway.url}/execute-graphql`, { method: 'OPTIONS', headers: { origin: APP, ...PREFLIGHT } })
  t.equal(preflight.status, 204)
  t.match(preflight.headers.get('access-control-allow-headers'), /content-type.*x-api-key/)
})
