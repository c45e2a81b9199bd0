// One line a request, with what operators need and nothing secret.
import fc from 'fast-check'
import type { EndedRequest } from 'fastify'
import pino from 'pino'
import t from 'tap'
import { formatRequest } from '../../plugins/request-log.ts'
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

t.test('a line begins and ends as those that pino writes', async t => {
  const { gateway, lines } = await loggedGateway('debug')
  gateway.app.log.info({}, 'request')
  await gateway.post({ query: '{ a }' })
  await fetch(`${gateway.url}/health/live`)
  await gateway.close()
  const [of, ours, probe] = lines.filter(line => line.includes('"request"')).map(line => JSON.parse(line))
  t.strictSame(Object.keys(of), ['level', 'time', 'pid', 'hostname', 'msg'])
  t.strictSame(Object.keys(ours).slice(0, 5), ['level', 'time', 'pid', 'hostname', 'requestId'])
  t.match(ours, { level: 30, pid: of.pid, hostname: of.hostname, msg: 'request' })
  t.ok(ours.time >= of.time && ours.time - of.time < 60_000)
  t.equal(probe.level, 20)
})

t.test('any request is a line of JSON that says the same', async t => {
  const ms = fc.double({ min: 0, max: 1e7, noNaN: true })
  const ended = fc.record({
    id: fc.string({ unit: 'binary' }),
    caller: fc.string({ unit: 'binary' }),
    ms,
    upstreamMs: ms,
    isFinished: fc.boolean()
  })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(ended, ({ id, caller, ms, upstreamMs, isFinished }) => {
        const request = { id, method: 'GET', caller: { name: caller }, upstreamMs }
        const reply = { statusCode: 200, raw: { writableFinished: isFinished } }
        const members = formatRequest({ request, reply, ms, config: {} } as unknown as EndedRequest)
        const read = JSON.parse(`{"a":1${members}}`)
        const isClose = (a: number, b: number) => Math.abs(a - b) <= 0.005_000_1
        return (
          read.requestId === id &&
          read.caller === caller &&
          isClose(read.ms, ms) &&
          isClose(read.upstreamMs, upstreamMs) &&
          (read.aborted === true) === !isFinished
        )
      })
    )
  )
})

t.test('what a line holds', async t => {
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
  t.match(bad, { status: 400, code: 'GRAPHQL_PARSE_FAILED' })
  t.match(nowhere, { status: 404, code: 'NOT_FOUND' })
  t.equal(nowhere.route, undefined)
  t.strictSame(more, [], 'probes are not logged at info')
})

t.test('why Hasura gave no answer is told to operators, not to callers', async t => {
  // Nobody listens on port 1.
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

t.test('a caller that left is told from one that was answered', async t => {
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
  t.match(requests(), [{ aborted: true }])
})

t.test('an answer that broke on its way is told by its code', async t => {
  const { gateway, requests } = await loggedGateway('info')
  const answer = await gateway.post({ query: '{ halfway }' })
  await t.rejects(answer.text())
  await gateway.app.drain(60_000)
  await gateway.close()
  t.match(requests(), [{ status: 200, code: 'UPSTREAM_UNREACHABLE', fault: /^broken while answered: /, aborted: true }])
})

t.test('no secret is in any line at trace', async t => {
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
