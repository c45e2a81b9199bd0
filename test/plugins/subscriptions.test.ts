// Subscriptions as event streams, between a caller and a Hasura on real sockets.
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { openEvents } from '../support/event-reader.ts'
import { sendJson } from '../support/fake-server.ts'
import { codeOf, gatewayFor, tokenNumber } from '../support/gateway.ts'
import { liveHasuraFor } from '../support/live-hasura.ts'
import { postJson } from '../support/post-json.ts'
import { until } from '../support/until.ts'

const SUBSCRIPTION = { query: 'subscription { n }' }
const COMPLETE = { type: 'complete', data: '' }
const next = (data: string) => ({ type: 'next', data })

/** A gateway that allows subscriptions, and its Hasura. */
async function start(t: Test, settings: Record<string, string> = {}) {
  const live = await liveHasuraFor(t)
  const gateway = await gatewayFor(t, {
    settings: { GRAPHQL_ENDPOINT: live.url, GRAPHQL_ALLOWED_OPERATIONS: 'query,mutation,subscription', ...settings }
  })
  const url = `${gateway.url}/execute-graphql`
  const get = (query: string, headers?: Record<string, string>) =>
    openEvents(`${url}?query=${encodeURIComponent(query)}`, { ...(headers && { headers }) })
  return {
    ...gateway,
    live,
    get,
    events: (body: unknown = SUBSCRIPTION, headers?: Record<string, string>) => openEvents(url, { body, ...(headers && { headers }) })
  }
}

/** The code of the only error in an event; checks that the stream completes after it. */
async function codeIn(t: Test, stream: Awaited<ReturnType<typeof openEvents>>): Promise<string> {
  const event = await stream.next()
  t.equal(event?.type, 'next')
  t.same(await stream.next(), COMPLETE)
  t.equal(await stream.ended, 'end')
  return JSON.parse(event?.data ?? '').errors[0].extensions.code
}

t.test('without text/event-stream in Accept, a subscription is NOT_ACCEPTABLE', async t => {
  const { post, live } = await start(t)
  for (const accept of ['application/json', '*/*', 'application/graphql-response+json', 'text/event-stream;q=0, */*']) {
    const response = await post(SUBSCRIPTION, { accept })
    t.equal(response.status, 406)
    t.equal(await codeOf(response), 'NOT_ACCEPTABLE')
  }
  t.equal(live.received.length, 0)
})

t.test('a subscription whose body arrives after the service begins to stop does not start', async t => {
  const { app, url, live } = await start(t)
  const body = JSON.stringify(SUBSCRIPTION)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), accept: 'text/event-stream' }
  const request = httpRequest(`${url}/execute-graphql`, { method: 'POST', headers })
  request.flushHeaders()
  await until(() => app.requestsInFlight() === 1)
  const drained = app.drain(60_000)
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  t.equal(response.statusCode, 503)
  t.match(await text(response), '"SHUTTING_DOWN"')
  t.equal(await drained, true)
  t.equal(live.received.length, 0)
})

t.test('subscriptions are refused unless the settings allow them', async t => {
  const { events, post } = await start(t, { GRAPHQL_ALLOWED_OPERATIONS: 'query' })
  const stream = await events()
  t.equal(stream.status, 200)
  t.equal(await codeIn(t, stream), 'SUBSCRIPTION_NOT_SUPPORTED')
  const response = await post(SUBSCRIPTION)
  t.equal(response.status, 400)
  t.equal(await codeOf(response), 'SUBSCRIPTION_NOT_SUPPORTED')
})

t.test('an error in the request has its own status', async t => {
  const { url, get, live } = await start(t)
  const post = (body: unknown, headers = {}) => postJson(`${url}/execute-graphql`, body, { accept: 'text/event-stream', ...headers })
  t.equal((await post('{')).status, 400)
  t.equal((await post('{"query":""}')).status, 400)
  t.equal((await post('{}', { 'content-type': 'text/plain' })).status, 415)
  t.equal((await post(SUBSCRIPTION, { 'x-hasura-role': 'admin' })).status, 403)
  const mutation = await get('mutation { a }')
  t.equal(mutation.status, 405)
  t.equal(mutation.headers.allow, 'POST')
  t.equal(live.received.length, 0)
})

for (const [code, body] of [
  ['GRAPHQL_PARSE_FAILED', { query: 'subscription {' }],
  ['OPERATION_NAME_REQUIRED', { query: 'subscription A { a } subscription B { b }' }],
  ['OPERATION_NOT_FOUND', { query: 'subscription A { a }', operationName: 'B' }],
  ['LIMIT_EXCEEDED', { query: 'subscription { a { b { c { d } } } }' }]
] as const)
  t.test(`an error in the document is an event: ${code}`, async t => {
    const { events } = await start(t, { GRAPHQL_MAX_DEPTH: '3' })
    const stream = await events(body)
    t.equal(stream.status, 200)
    t.equal(await codeIn(t, stream), code)
  })

t.test('a live query streams answers unchanged except for line breaks', async t => {
  const { events, get, live } = await start(t)
  live.answer = '{"data": {"b":9007199254740993,"10":1.0,"2":-0}}'
  const stream = await events()
  t.equal(stream.status, 200)
  t.match(stream.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  t.match(stream.headers['x-request-id'], /./)
  t.same(await stream.next(), next(live.answer))
  live.push('{"data":\r\n{"n":1}}')
  t.same(await stream.next(), next('{"data":\n{"n":1}}'))
  const second = await get(SUBSCRIPTION.query)
  t.same(await second.next(), next('{"data":\n{"n":1}}'), 'who joins later gets the latest answer at once')
  t.equal(live.subscriptions, 1)
  t.same(live.tokens, [tokenNumber(1)])
})

t.test('Hasura receives the checked document, its operation and its variables with every digit', async t => {
  const { post, live } = await start(t)
  const query = 'subscription A($n: bigint) { a } query B { b }'
  const controller = new AbortController()
  const body = `{"query":"${query}","variables":{"n":9007199254740993},"operationName":"A","extensions":{"a":1}}`
  const response = await post(body, { accept: 'application/json, text/event-stream' }, controller.signal)
  t.match(response.headers.get('content-type'), 'text/event-stream')
  await until(() => live.subscriptions === 1)
  t.match(live.received.at(-1)?.payload, { query, operationName: 'A' })
  controller.abort()
  await until(() => live.connections === 0)
})

t.test('an error message from Hasura is one answer with errors, then the end', async t => {
  const { events, live } = await start(t)
  live.answer = ''
  const stream = await events()
  await until(() => live.subscriptions === 1)
  const errors = '[{"extensions":{"path":"$","code":"validation-failed"},"message":"no"}]'
  live.send(id => `{"id":"${id}","type":"error","payload":${errors}}`)
  t.same(await stream.next(), next(`{"errors":${errors}}`))
  t.same(await stream.next(), COMPLETE)
  t.equal(await stream.ended, 'end')
})

t.test('the token is renewed under a stream, and its caller notices nothing', async t => {
  const { app, events, live } = await start(t)
  const stream = await events()
  await stream.next()
  await app.tokenManager.rejectToken(tokenNumber(1))
  await until(() => live.connections === 1 && live.tokens.length === 2)
  t.same(live.tokens, [tokenNumber(1), tokenNumber(2)])
  live.push('{"data":{"n":1}}')
  t.same(await stream.next(), next('{"data":{"n":1}}'))
})

t.test('a refused token is renewed', async t => {
  const { events, live } = await start(t)
  live.refused.add(tokenNumber(1))
  const stream = await events()
  t.same(await stream.next(), next('{"data":{"n":0}}'))
  t.same(live.tokens, [tokenNumber(1), tokenNumber(2)])
})

t.test('if Hasura does not respond, there is an error after GRAPHQL_TIMEOUT_MS', async t => {
  const hasura = await gatewayFor(t, {
    hasura: response => sendJson(response, '{}', 404),
    settings: { GRAPHQL_ALLOWED_OPERATIONS: 'subscription', GRAPHQL_TIMEOUT_MS: '300' }
  })
  const stream = await openEvents(`${hasura.url}/execute-graphql`, { body: SUBSCRIPTION })
  t.equal(await codeIn(t, stream), 'UPSTREAM_UNREACHABLE')
})

t.test('a query or mutation from a caller that accepts only an event stream is one event', async t => {
  const { events, get } = await start(t)
  for (const stream of [await events({ query: 'mutation { n }' }), await get('{ n }')]) {
    t.equal(stream.status, 200)
    t.same(await stream.next(), next('{"data":{"n":0}}'))
    t.same(await stream.next(), COMPLETE)
    t.equal(await stream.ended, 'end')
  }
})

t.test('a large answer to a query is one event too', async t => {
  const large = `{"data":{"text":"${'ä'.repeat(100_000)}",\n"n":0}}`
  const gateway = await gatewayFor(t, { hasura: response => sendJson(response, large) })
  const stream = await openEvents(`${gateway.url}/execute-graphql`, { body: { query: '{ n }' }, headers: { 'accept-encoding': 'gzip' } })
  t.same(await stream.next(), next(large))
  t.same(await stream.next(), COMPLETE)
})

t.test('beyond SUBSCRIPTIONS_MAX, a stream is refused with 503 OVERLOADED until another one ends', async t => {
  const { events, app, live } = await start(t, { SUBSCRIPTIONS_MAX: '1' })
  const first = await events()
  const second = await events()
  t.equal(second.status, 503)
  t.match(second.headers['retry-after'], /^\d+$/)
  first.close()
  await until(() => live.connections === 0)
  const third = await events()
  t.equal(third.status, 200)
  await third.next()
  const text = await app.metrics.registry.metrics()
  t.match(text, /graphql_subscriptions_active 1\n/)
  t.match(text, /hasura_subscriptions_active 1\n/)
})

t.test('when the service stops, streams end at once without complete', async t => {
  const { events, app } = await start(t)
  const stream = await events()
  await stream.next()
  const drained = app.drain(10_000)
  t.equal(await stream.next(), undefined)
  t.equal(await stream.ended, 'end')
  t.equal(await drained, true)
})

t.test('1,000 callers that leave at once leak nothing', async t => {
  const { events, live, app } = await start(t)
  const streams = await Promise.all(Array.from({ length: 1_000 }, () => events()))
  await Promise.all(streams.map(stream => stream.next()))
  t.equal(live.subscriptions, 1)
  for (const stream of streams) stream.close()
  await until(() => live.connections === 0)
  t.match(await app.metrics.registry.metrics(), /graphql_subscriptions_active 0\n/)
})

t.test('a caller that stops reading a live query gets the latest answer when it reads again', async t => {
  const { events, live } = await start(t)
  const stream = await events()
  await stream.next()
  stream.response.pause()
  const text = 'x'.repeat(100_000)
  const count = 500
  for (let n = 1; n <= count; n++) live.push(`{"data":{"n":${n},"text":"${text}"}}`)
  // Another caller has received the last answer, so earlier ones are in the kernel's buffers or dropped.
  const other = await events({ query: 'subscription Other { n }' })
  await other.next()
  stream.response.resume()
  let read = 0
  for (let last = ''; !last.startsWith(`{"data":{"n":${count},`); read++) last = (await stream.next())?.data ?? last
  t.ok(read < count, `${read} of ${count} answers were read`)
})

t.test('a caller that stops reading a streaming subscription is cut', async t => {
  const { events, live } = await start(t)
  live.answer = ''
  const stream = await events({ query: 'subscription { users_stream(batch_size: 1, cursor: {initial_value: {id: 0}}) { id } }' })
  await until(() => live.subscriptions === 1)
  stream.response.pause()
  for (let n = 1; n <= 300; n++) live.push(`{"data":{"users_stream":[{"id":${n},"text":"${'x'.repeat(100_000)}"}]}}`)
  await until(() => live.connections === 0)
  stream.response.resume()
  t.equal(await stream.ended, 'broken')
})
