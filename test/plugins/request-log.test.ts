// One line per request, with what operators need and nothing secret.
import type { FastifyBaseLogger } from 'fastify'
import pino from 'pino'
import t from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { startGateway } from '../support/gateway.ts'

const SECRETS = ['client-secret', 'header.payload-1.signature', 'caller-credential', 'session-cookie', 'a-variable']

async function loggedGateway(level: string, settings: Record<string, string> = {}) {
  const lines: string[] = []
  const logger = pino({ level }, { write: line => void lines.push(line) })
  const gateway = await startGateway({
    logger,
    settings,
    hasura: (response, { body }) =>
      body.includes('halfway')
        ? response
            .writeHead(200, { 'content-type': 'application/json' })
            .write(`{"data":"${'x'.repeat(1024 * 1024)}`, () => response.destroy())
        : body.includes('broken')
          ? response.destroy()
          : body.includes('late')
            ? undefined
            : sendJson(response, '{"data":{}}')
  })
  const requests = () => lines.map(line => JSON.parse(line)).filter(line => line.msg === 'request')
  return { gateway, lines, requests }
}

t.test("request lines use the logger's own redaction, formatters, time and bindings", async t => {
  const lines: string[] = []
  const logger = pino(
    {
      base: { service: 'gateway' },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['caller', 'operation'],
      formatters: { level: label => ({ severity: label }) }
    },
    { write: line => void lines.push(line) }
  )
  const gateway = await startGateway({ logger })
  await gateway.post({ query: 'query Private { a }' })
  await gateway.close()
  const line = lines.map(line => JSON.parse(line)).find(({ msg }) => msg === 'request')
  t.match(line, { severity: 'info', service: 'gateway', operation: '[Redacted]', status: 200, time: /^\d{4}-\d\d-\d\dT/ })
})

t.test('a logger other than pino gets the lines too', async t => {
  const lines: unknown[][] = []
  const loggerWith = (bindings: object): FastifyBaseLogger => {
    const write = (level: string) => (value: object, text: string) => void lines.push([level, { ...bindings, ...value }, text])
    const [fatal, error, warn, info, debug, trace] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map(write)
    const child = (more: object) => loggerWith({ ...bindings, ...more })
    return { level: 'debug', silent: () => {}, fatal, error, warn, info, debug, trace, child } as unknown as FastifyBaseLogger
  }
  const gateway = await startGateway({ logger: loggerWith({}) })
  await gateway.post({ query: '{ a }' }, { 'x-request-id': 'id-1' })
  await fetch(`${gateway.url}/health/live`, { headers: { 'x-request-id': 'id-2' } })
  await gateway.close()
  t.match(
    lines.filter(([, , text]) => text === 'request'),
    [
      ['info', { requestId: 'id-1', kind: 'query', status: 200 }],
      ['debug', { requestId: 'id-2', route: '/health/live' }]
    ]
  )
})

t.test('the members of a line', async t => {
  const { gateway, requests } = await loggedGateway('info')
  await gateway.post({ query: 'query Users { a }' }, { 'x-request-id': 'id-1' })
  await gateway.post({ query: 'mutation { broken }' })
  await gateway.post({ query: '{' })
  await fetch(`${gateway.url}/nowhere`)
  await fetch(`${gateway.url}/health/live`)
  await gateway.close()
  const [ok, broken, bad, nowhere, ...more] = requests()
  t.match(ok, { level: 30, requestId: 'id-1', method: 'POST', route: '/execute-graphql', operation: 'Users', kind: 'query', status: 200 })
  t.ok(ok.ms >= ok.upstreamMs && ok.upstreamMs > 0)
  t.match(broken, { level: 30, kind: 'mutation', status: 502, code: 'UPSTREAM_UNREACHABLE', fault: /^broken while sent: / })
  t.equal(ok.fault, undefined)
  t.equal(ok.hasuraCode, undefined)
  t.match(bad, { status: 400, code: 'GRAPHQL_PARSE_FAILED' })
  t.match(nowhere, { status: 404, code: 'NOT_FOUND' })
  t.equal(nowhere.route, undefined)
  t.strictSame(more, [], 'probes are not logged at info')
})

t.test('the log says why Hasura gave no answer, and callers do not see the reason', async t => {
  // Nothing listens on port 1.
  const { gateway, requests } = await loggedGateway('info', { GRAPHQL_ENDPOINT: 'http://127.0.0.1:1/v1/graphql' })
  const answer = await gateway.post({ query: 'mutation { a }' })
  t.notMatch(await answer.text(), 'ECONNREFUSED')
  await gateway.close()
  t.match(requests(), [{ code: 'UPSTREAM_UNREACHABLE', fault: 'broken while unsent: ECONNREFUSED' }])

  const late = await loggedGateway('info', { GRAPHQL_TIMEOUT_MS: '1000' })
  await late.gateway.post({ query: '{ late }' })
  await late.gateway.close()
  t.match(late.requests(), [{ code: 'UPSTREAM_TIMEOUT', fault: 'timeout while sent' }])
})

t.test("the line of an answer with errors contains Hasura's code, but not its message", async t => {
  const lines: string[] = []
  const gateway = await startGateway({
    logger: pino({}, { write: line => void lines.push(line) }),
    hasura: (response, { body }) =>
      sendJson(
        response,
        body.includes('coded')
          ? '{"errors":[{"extensions":{"path":"$","code":"constraint-violation"},"message":"a-value"}]}'
          : '{"data":null,"errors":[{"message":"a-value"}]}'
      )
  })
  await gateway.post({ query: 'mutation { coded }' })
  await gateway.post({ query: '{ bare }' })
  await gateway.close()
  const requests = lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  t.match(requests, [
    { status: 200, hasuraCode: 'constraint-violation' },
    { status: 200, hasuraCode: 'unknown' }
  ])
  t.notMatch(lines.join(), 'a-value')
})

t.test('the line shows that the caller left', async t => {
  const { gateway, requests } = await loggedGateway('info')
  const controller = new AbortController()
  const body = JSON.stringify({ query: '{ late }' })
  const left = fetch(`${gateway.url}/execute-graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: controller.signal
  })
  await gateway.hasura.hasReceived(1)
  controller.abort()
  await t.rejects(left)
  await gateway.app.drain(60_000)
  await gateway.close()
  t.match(requests(), [{ status: 499, aborted: true }])
})

t.test('the line of an answer that broke off has a code', async t => {
  const { gateway, requests } = await loggedGateway('info')
  const answer = await gateway.post({ query: '{ halfway }' })
  await t.rejects(answer.text())
  await gateway.app.drain(60_000)
  await gateway.close()
  t.match(requests(), [{ status: 200, code: 'UPSTREAM_UNREACHABLE', fault: /^broken while answered: /, aborted: true }])
})

t.test('no line contains a secret, even at trace', async t => {
  const { gateway, lines } = await loggedGateway('trace')
  await gateway.post(
    { query: 'query($v: String) { a(v: $v) }', variables: { v: 'a-variable' } },
    { authorization: 'Bearer caller-credential', cookie: 'session-cookie' }
  )
  await gateway.post({ query: '{ broken }' }, { authorization: 'Bearer caller-credential' })
  await gateway.close()
  t.ok(lines.length > 2)
  for (const secret of SECRETS)
    t.notOk(
      lines.some(line => line.includes(secret)),
      secret
    )
})
