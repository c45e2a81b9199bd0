// Requests that are refused before they cost anything, and fair turns beside a caller that sends too much.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import Fastify, { type FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import admission from '../../plugins/admission.ts'
import errors from '../../plugins/errors.ts'
import readiness from '../../plugins/readiness.ts'
import requestEnd from '../../plugins/request-end.ts'
import shutdown from '../../plugins/shutdown.ts'
import { loadSettings } from '../../src/settings.ts'
import { keysFile } from '../support/caller-keys.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { sendJson } from '../support/fake-server.ts'
import { codeOf, environmentFor, gatewayFor, givesData } from '../support/gateway.ts'
import { RawClient } from '../support/raw-client.ts'

/** A head that announces a body that is never sent. */
const headOf = (method: string, path: string, fields: readonly string[] = []) =>
  [`${method} ${path} HTTP/1.1`, 'host: localhost', 'content-type: application/json', 'content-length: 1000000', ...fields, '', ''].join(
    '\r\n'
  )

/** A caller that sends raw bytes and reads only on request. */
async function callerFor(t: Test, url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

t.test('a request that is refused for its route, method, role or caller is answered before any of its body arrives', async t => {
  const keys = { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: `${t.testdir({ 'keys.json': keysFile({}) })}/keys.json` }
  const open = await gatewayFor(t)
  const closed = await gatewayFor(t, { settings: keys })
  const cases: [url: string, head: string, status: number][] = [
    [open.url, headOf('POST', '/nope'), 404],
    [open.url, headOf('PUT', '/execute-graphql'), 405],
    [open.url, headOf('DELETE', '/operations'), 405],
    [open.url, headOf('POST', '/operations/nope'), 404],
    [open.url, headOf('POST', '/health/live'), 405],
    [open.url, headOf('POST', '/execute-graphql', ['x-hasura-role: admin']), 403],
    [open.url, headOf('POST', '/execute-graphql', ['accept: text/html']), 406],
    [open.url, headOf('POST', '/execute-graphql', ['sec-fetch-site: cross-site']), 403],
    [open.url, headOf('POST', '/execute-graphql').replace('application/json', 'text/plain'), 415],
    [closed.url, headOf('POST', '/execute-graphql'), 401]
  ]
  for (const [url, head, status] of cases) {
    const client = new RawClient(url)
    t.equal((await client.send(head))?.status, status, head.slice(0, 60))
    client.close()
  }
  t.same([...open.hasura.received, ...closed.hasura.received], [])
})

t.test('a body that would exceed the budget is refused unread, and the budget is free again once callers have left', async t => {
  const gateway = await gatewayFor(t, { settings: { BODY_BUDGET_BYTES: '2500000' } })
  const held = await Promise.all([callerFor(t, gateway.url), callerFor(t, gateway.url)])
  for (const socket of held) socket.write(`${headOf('POST', '/execute-graphql')}{"query":"`)
  const client = new RawClient(gateway.url)
  let refused = await client.send(headOf('POST', '/execute-graphql'), { silenceMs: 200 })
  while (refused === undefined) refused = await client.send(headOf('POST', '/execute-graphql'), { silenceMs: 200 })
  client.close()
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '1')
  t.match(refused.body, /"The request bodies in memory use up BODY_BUDGET_BYTES\.".*"OVERLOADED"/)
  t.equal((await gateway.post({ query: '{ a }' })).status, 200, 'a small one still fits')
  for (const socket of held) socket.destroy()
  const big = JSON.stringify({ query: '{ a }', variables: { text: 'x'.repeat(990_000) } })
  let answer = await gateway.post(big)
  while (answer.status === 503) answer = await gateway.post(big)
  t.equal(answer.status, 200)
})

t.test('a body of unknown length counts as the largest allowed', async t => {
  const gateway = await gatewayFor(t, { settings: { BODY_BUDGET_BYTES: '1500000' } })
  const chunked = headOf('POST', '/execute-graphql').replace('content-length: 1000000', 'transfer-encoding: chunked')
  const socket = await callerFor(t, gateway.url)
  socket.write(chunked)
  const client = new RawClient(gateway.url)
  let refused = await client.send(chunked, { silenceMs: 200 })
  while (refused === undefined) refused = await client.send(chunked, { silenceMs: 200 })
  t.equal(refused.status, 503)
  client.close()
})

t.test('a body of unknown length counts with its actual size once it is read', async t => {
  const gateway = await gatewayFor(t, { hasura: () => {}, settings: { BODY_BUDGET_BYTES: '1100000' } })
  const head = headOf('POST', '/execute-graphql').replace('content-length: 1000000', 'transfer-encoding: chunked')
  for (let n = 1; n <= 5; n++) {
    const socket = await callerFor(t, gateway.url)
    socket.write(`${head}f\r\n{"query":"{a}"}\r\n0\r\n\r\n`)
    await gateway.hasura.hasReceived(n)
  }
  t.equal(gateway.hasura.received.length, 5)
})

t.test('beyond GRAPHQL_QUEUE, the caller with the most waiting requests is refused', async t => {
  const answers: (() => void)[] = []
  const gateway = await gatewayFor(t, {
    hasura: response => void answers.push(() => sendJson(response, '{"data":{"a":1}}')),
    settings: { GRAPHQL_CONNECTIONS: '1', GRAPHQL_QUEUE: '2' }
  })
  const ask = () => gateway.post({ query: '{ a }' })
  const first = ask()
  await gateway.hasura.hasReceived(1)
  const others = [ask(), ask(), ask()]
  const refused = await Promise.race(others)
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '1')
  t.match(await refused.json(), { errors: [{ message: /GRAPHQL_QUEUE/, extensions: { code: 'OVERLOADED' } }] })
  for (let n = 1; n <= 3; n++) {
    await gateway.hasura.hasReceived(n)
    answers.shift()?.()
  }
  t.equal((await first).status, 200)
  t.same((await Promise.all(others)).map(({ status }) => status).sort(), [200, 200, 503])
})

t.test('waiting for a turn ends when the request times out or its caller leaves', async t => {
  const gateway = await gatewayFor(t, {
    hasura: () => {},
    settings: { GRAPHQL_CONNECTIONS: '1', GRAPHQL_TIMEOUT_MS: '300' }
  })
  const first = gateway.post({ query: '{ first }' })
  await gateway.hasura.hasReceived(1)
  const second = gateway.post({ query: '{ second }' })
  for (const answer of await Promise.all([first, second])) {
    t.equal(answer.status, 504)
    t.equal(await codeOf(answer), 'UPSTREAM_TIMEOUT')
  }
  t.equal(gateway.app.turns.waitingCount, 0)
})

t.test('one caller with thousands of requests delays another by no more than a turn', async t => {
  const path = `${t.testdir({ 'keys.json': keysFile({ hog: {}, good: {} }) })}/keys.json`
  const gateway = await gatewayFor(t, {
    hasura: (response, { body }) => {
      if (body.includes('hog')) setImmediate(() => sendJson(response, '{"data":{"hog":1}}'))
      else givesData(response, { method: '', url: '', headers: {}, rawHeaders: [], body }, 1)
    },
    settings: { GRAPHQL_CONNECTIONS: '2', CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path }
  })
  const hog = await callerFor(t, gateway.url)
  const request = `POST /execute-graphql HTTP/1.1\r\nhost: localhost\r\nx-api-key: hog-key\r\ncontent-type: application/json\r\ncontent-length: 19\r\n\r\n{"query":"{ hog }"}`
  hog.write(request.repeat(1_000))
  hog.resume()
  await gateway.hasura.hasReceived(10)
  const answer = await gateway.post({ query: '{ good }' }, { 'x-api-key': 'good-key' })
  t.equal(answer.status, 200)
  const order = gateway.hasura.received.map(({ body }) => body.includes('good'))
  t.ok(order.indexOf(true) < 900, `served as call ${order.indexOf(true)} to Hasura, after a thousand earlier requests`)
})

/** An app with only admission and a fake clock; `/operation` hangs until the test releases it. */
async function admittedApp(t: Test, environment: Record<string, string> = {}) {
  const clock = new FakeClock()
  const settings = await loadSettings(environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1', environment))
  const app = Fastify()
  let letGo = () => {}
  const underWay = Promise.withResolvers<void>()
  await app.register(fp(async app => void app.decorate('config', settings), { name: 'config' }))
  for (const plugin of [requestEnd, readiness, errors, shutdown]) await app.register(plugin)
  await app.register(admission, { clock })
  const operations: FastifyPluginAsync = async scope => {
    scope.addHook('onRequest', scope.admit)
    scope.addHook('preParsing', scope.holdBody)
    scope.get('/operation', async () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      letGo = () => resolve('done')
      underWay.resolve()
      return promise
    })
    scope.post('/body', async () => 'read')
  }
  await app.register(operations)
  app.get('/health', async () => 'well')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    letGo()
    await app.close()
  })
  return { app, clock, url, underWay: underWay.promise, letGo: () => letGo() }
}

t.test('if the event loop stays late, only operations are refused', async t => {
  const { app, clock, url, underWay, letGo } = await admittedApp(t)
  const late = async () => {
    clock.sleep(2_000)
    await clock.advance(0)
  }
  await late()
  const answer = fetch(`${url}/operation`)
  await underWay
  await clock.advance(1_000)
  await late()
  t.equal((await app.inject({ method: 'POST', url: '/body' })).statusCode, 200, 'one late sample is a pause, not overload')
  await late()
  await late()
  const refused = await app.inject('/operation')
  t.equal(refused.statusCode, 503)
  t.equal(refused.headers['retry-after'], '1')
  t.match(refused.json(), { errors: [{ message: /event loop/, extensions: { code: 'OVERLOADED' } }] })
  t.equal((await app.inject('/health')).statusCode, 200)
  t.same(app.readiness(), { isReady: true, reasons: [] }, 'the service stays ready for ten seconds')
  for (let n = 0; n < 6; n++) await late()
  t.match(app.readiness(), { isReady: false, reasons: [/event loop/] })
  letGo()
  await (await answer).text()
  await clock.advance(1_000)
  t.same(app.readiness(), { isReady: true, reasons: [] })
  t.equal((await app.inject({ method: 'POST', url: '/body' })).statusCode, 200)
})

t.test('a late event loop without requests in progress, as at the start, is not overload', async t => {
  const { app, clock } = await admittedApp(t)
  for (let n = 0; n < 20; n++) {
    clock.sleep(2_000)
    await clock.advance(0)
  }
  t.equal((await app.inject({ method: 'POST', url: '/body' })).statusCode, 200)
  t.ok(app.readiness().isReady)
})

t.test('if a budget stays used up for ten seconds, the service becomes unready, and ready again afterwards', async t => {
  const { app, clock, url } = await admittedApp(t, { BODY_BUDGET_BYTES: '1000000' })
  const socket = await callerFor(t, url)
  socket.write(headOf('POST', '/body'))
  while (app.readiness().isReady) await clock.advance(500)
  t.match(app.readiness(), { reasons: ['The request bodies in memory use up BODY_BUDGET_BYTES.'] })
  socket.destroy()
  while (!app.readiness().isReady) await clock.advance(500)
})
