import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { readTracing } from '../../plugins/tracing.ts'
import { fakeServerFor } from '../support/fake-server.ts'
import { type Gateway, type GatewayOptions, givesData, startGateway, tokenNumber } from '../support/gateway.ts'
import { type Collector, startCollector } from '../support/otlp-collector.ts'
import { RawClient } from '../support/raw-client.ts'
import { watchLog } from '../support/watch-log.ts'

const QUERY = { query: 'query Users($limit: Int) { users(limit: $limit) { id } }', variables: { limit: 1 } }
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const CALLER_SPAN_ID = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE_ID}-${CALLER_SPAN_ID}-01`

function setVariables(t: Test, variables: Record<string, string>): void {
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
}

/** Sends one request over a socket: `fetch` would be traced as well, because it is undici. */
async function send(url: string, start: string, headers: Record<string, string> = {}, body = ''): Promise<number | undefined> {
  const client = new RawClient(url)
  const all = { host: 'localhost', 'content-type': 'application/json', 'content-length': String(body.length), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const answer = await client.send(`${start} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
  client.close()
  return answer?.status
}

const post = ({ url }: Gateway, headers?: Record<string, string>) => send(url, 'POST /execute-graphql', headers, JSON.stringify(QUERY))

/** The service with a collector; stopping the service exports the remaining spans. */
async function startTraced(t: Test, options: GatewayOptions = {}): Promise<{ gateway: Gateway; collector: Collector }> {
  const collector = await startCollector()
  setVariables(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  t.teardown(() => collector.close())
  return { gateway: await startGateway(options), collector }
}

t.test('without OTEL_* no part of OpenTelemetry is loaded, and trace context is forwarded unchanged', async t => {
  const gateway = await startGateway()
  await gateway.post(QUERY, { traceparent: TRACEPARENT, tracestate: 'a=1' })
  t.match(gateway.hasura.received[0]?.headers, { traceparent: TRACEPARENT, tracestate: 'a=1' })
  // prom-client itself loads the API.
  const ofTracing = /@fastify.otel|@opentelemetry.(?!api\b)/
  const loaded = Object.keys(createRequire(import.meta.url).cache).filter(path => ofTracing.test(path))
  t.same(loaded, [])
  await gateway.close()
})

t.test('the standard variables decide whether traces are exported', async t => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
  const on = [endpoint, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, { OTEL_TRACES_EXPORTER: 'otlp' }]
  for (const variables of on) t.same(readTracing(variables), { isOn: true }, JSON.stringify(variables))
  const off = [
    {},
    { OTEL_SERVICE_NAME: 'a' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { ...endpoint, OTEL_SDK_DISABLED: 'true' },
    { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }
  ]
  for (const variables of off) t.same(readTracing(variables), { isOn: false }, JSON.stringify(variables))
  const refused = [
    { OTEL_TRACES_EXPORTER: 'zipkin' },
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }
  ]
  for (const variables of refused) t.match(readTracing(variables), { isOn: false, problem: /must be/ }, JSON.stringify(variables))
})

t.test('an unsupported protocol is logged at start, and the service runs without traces', async t => {
  setVariables(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })
  const { logger, lines } = watchLog()
  const gateway = await startGateway({ logger })
  t.equal((await gateway.post(QUERY)).status, 200)
  t.ok(lines.some(line => line.includes('no traces are exported') && line.includes('http/protobuf')))
  await gateway.close()
})

t.test('a request, its call to Hasura and the exchange are spans, and the caller’s trace continues through them', async t => {
  const { gateway, collector } = await startTraced(t, { settings: { FORWARD_HEADERS: 'x-tenant' } })
  const headers = { traceparent: TRACEPARENT, tracestate: 'a=1', baggage: 'secret=1', 'x-request-id': 'id-1' }
  t.equal(await post(gateway, headers), 200)
  const [sent] = gateway.hasura.received
  await gateway.close()

  const named = (name: string) => collector.spans.find(span => span.name === name)
  const request = named('POST /execute-graphql')
  const call = named('POST /v1/graphql')
  const exchange = named('POST /oauth2/token')
  t.match(request, { traceId: TRACE_ID, parentId: CALLER_SPAN_ID })
  t.match(request?.attributes, {
    'http.route': '/execute-graphql',
    'graphql.operation.type': 'query',
    'graphql.operation.name': 'Users',
    'gateway.request.id': 'id-1'
  })
  t.match(call, { traceId: TRACE_ID, parentId: request?.spanId })
  t.match(call?.attributes, {
    'url.full': `${gateway.hasura.url}/v1/graphql`,
    'http.response.status_code': '200',
    'server.address': '127.0.0.1'
  })
  t.equal(exchange?.parentId, '', 'an exchange is in a trace of its own')
  t.equal(sent?.headers.traceparent, `00-${TRACE_ID}-${call?.spanId}-01`, 'Hasura gets the span of the call as its parent')
  t.equal(sent?.headers.tracestate, 'a=1')
  t.equal(sent?.headers.baggage, undefined)
  t.equal(sent?.rawHeaders.filter(name => name === 'traceparent').length, 1)
  const exported = Buffer.concat(collector.bytes)
  for (const secret of [tokenNumber(1), 'client-secret']) t.notOk(exported.includes(secret), `no ${secret}`)
  t.ok(exported.includes('cognito-hasura-gateway'), 'the name of the service')
})

t.test('an exchange that a request triggers is not part of its trace', async t => {
  const refusal = '{"errors":[{"extensions":{"code":"invalid-jwt","path":"$"},"message":"Could not verify JWT: JWTExpired"}]}'
  const { gateway, collector } = await startTraced(t, {
    hasura: (response, request, count) =>
      count === 1 ? response.writeHead(200, { 'content-type': 'application/json' }).end(refusal) : givesData(response, request, count)
  })
  t.equal(await post(gateway, { traceparent: TRACEPARENT }), 200)
  t.equal(gateway.cognito.received.length, 2)
  await gateway.close()
  const exchanges = collector.spans.filter(({ name }) => name === 'POST /oauth2/token')
  t.same(
    exchanges.map(({ parentId }) => parentId),
    ['', '']
  )
  t.equal(collector.spans.filter(({ name, traceId }) => name === 'POST /v1/graphql' && traceId === TRACE_ID).length, 2, 'both tries are')
})

t.test('a failed call is a span with the type of its error', async t => {
  const { gateway, collector } = await startTraced(t, { hasura: response => void response.destroy() })
  t.equal(await post(gateway), 502)
  await gateway.close()
  const calls = collector.spans.filter(({ name }) => name === 'POST /v1/graphql')
  t.equal(calls.length, 2, 'the query was sent twice')
  for (const { attributes } of calls) t.match(attributes, { 'error.type': 'AttemptError', 'http.response.status_code': undefined })
})

t.test('neither probes nor query strings are exported', async t => {
  const { gateway, collector } = await startTraced(t)
  const variables = encodeURIComponent(JSON.stringify({ limit: 424242 }))
  const path = `/execute-graphql?query=${encodeURIComponent(QUERY.query)}&variables=${variables}`
  t.equal(await send(gateway.url, `GET ${path}`), 200)
  t.equal(await send(gateway.url, 'GET /health/live'), 200)
  await gateway.close()
  t.ok(collector.spans.some(({ name, attributes }) => name === 'GET /execute-graphql' && attributes['url.path'] === '/execute-graphql'))
  t.notOk(Buffer.concat(collector.bytes).includes('424242'))
  t.notOk(collector.spans.some(({ name }) => name.includes('health')))
})

t.test('the span of a caller that leaves is exported too', async t => {
  const { gateway, collector } = await startTraced(t, { hasura: () => {} })
  const body = JSON.stringify(QUERY)
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  socket.write(
    `POST /execute-graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  )
  await gateway.hasura.hasReceived(1)
  const upstream = [...gateway.hasura.sockets].map(each => once(each, 'close'))
  socket.destroy()
  await Promise.all(upstream)
  await gateway.close()
  const names = collector.spans.map(({ name }) => name)
  t.ok(names.includes('POST /execute-graphql'))
  t.ok(names.includes('POST /v1/graphql'))
})

t.test('while the collector is down, requests are answered, and the log says so', async t => {
  const collector = await startCollector()
  await collector.close()
  setVariables(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '1', OTEL_EXPORTER_OTLP_TIMEOUT: '50' })
  const { logger, logged } = watchLog()
  const gateway = await startGateway({ logger })
  t.equal((await gateway.post(QUERY)).status, 200)
  await logged('OpenTelemetry')
  await gateway.close()
})

t.test('a collector that does not answer delays neither requests nor stopping', async t => {
  const collector = await fakeServerFor(t, () => {})
  setVariables(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_TIMEOUT: '600000', OTEL_BSP_EXPORT_TIMEOUT: '600000' })
  const gateway = await startGateway()
  t.equal(await post(gateway), 200)
  await gateway.close()
  t.equal(collector.received.length, 1, 'the last spans were sent')
})
