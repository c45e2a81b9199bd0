// The metrics, under the names that dashboards use, without labels that reveal too much.

import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { freePort } from '../support/free-port.ts'
import { gatewayFor, startGateway, tokenNumber } from '../support/gateway.ts'
import { RawClient } from '../support/raw-client.ts'

const REFUSED = '{"errors":[{"extensions":{"path":"$","code":"invalid-jwt"},"message":"Could not verify JWT: JWTExpired"}]}'

t.test('requests, operations, retries, refusals and exchanges are counted', async t => {
  const gateway = await gatewayFor(t, {
    hasura: (response, { headers, body }, count) => {
      if (headers.authorization === `Bearer ${tokenNumber(1)}`) return sendJson(response, REFUSED)
      if (body.includes('down')) return sendJson(response, '{"error":"down"}', 503)
      if (body.includes('broken')) return response.destroy()
      if (body.includes('wrong')) return sendJson(response, '{"errors":[{"extensions":{"code":"validation-failed"},"message":"no"}]}')
      sendJson(response, `{"data":{"n":${count}}}`)
    }
  })
  await gateway.post({ query: 'query SecretName { a }' })
  await gateway.post({ query: '{ down }' })
  await gateway.post({ query: '{ wrong }' })
  await gateway.post({ query: 'mutation { broken }' })
  await gateway.post({ query: '{' })
  await fetch(`${gateway.url}/nowhere/secret-path`)
  await gateway.app.drain(60_000)
  const text = await gateway.app.metrics.registry.metrics()
  for (const line of [
    'cognito_token_exchanges_total{reason="start",outcome="ok"} 1',
    'cognito_token_exchanges_total{reason="rejected",outcome="ok"} 1',
    'cognito_token_exchange_duration_seconds_count 2',
    'cognito_token_refresh_failures_consecutive 0',
    'hasura_token_rejections_total{reason="invalid-jwt"} 1',
    'hasura_retries_total{reason="token"} 1',
    'hasura_retries_total{reason="status"} 1',
    'hasura_request_duration_seconds_count 4',
    'http_request_duration_seconds_count{route="/execute-graphql",method="POST",status_code="200"} 2',
    'http_request_duration_seconds_count{route="/execute-graphql",method="POST",status_code="400"} 1',
    'http_request_duration_seconds_count{route="none",method="GET",status_code="404"} 1',
    'graphql_operations_total{kind="query",outcome="ok"} 1',
    'graphql_operations_total{kind="query",outcome="graphql_error"} 1',
    'graphql_operations_total{kind="query",outcome="upstream_error"} 1',
    'graphql_operations_total{kind="mutation",outcome="UPSTREAM_UNREACHABLE"} 1'
  ]) {
    t.ok(text.split('\n').includes(line), line)
  }
  t.match(text, /^cognito_token_expiry_timestamp_seconds \d{10}/m)
  t.match(text, /^process_cpu_user_seconds_total /m)
  t.notMatch(text, /SecretName|secret-path|payload/)
})

t.test('failed exchanges are counted by code', async t => {
  const gateway = await gatewayFor(t, { cognito: response => sendJson(response, { error: 'invalid_scope' }, 400), isReady: false })
  await t.rejects(async () => gateway.app.tokenManager.getToken())
  const text = await gateway.app.metrics.registry.metrics()
  t.match(text, 'cognito_token_exchanges_total{reason="start",outcome="invalid_scope"} 1')
  t.match(text, 'cognito_token_refresh_failures_consecutive 1')
  t.match(text, 'cognito_token_expiry_timestamp_seconds 0')
})

t.test('metrics are served on a separate listener, not to callers', async t => {
  const port = await freePort()
  const gateway = await startGateway({ settings: { METRICS_PORT: String(port) } })
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  t.match(await answer.text(), 'cognito_token_exchanges_total')
  t.equal((await fetch(`${gateway.url}/metrics`)).status, 404)
  await gateway.close()
  await t.rejects(fetch(`http://127.0.0.1:${port}/metrics`), 'it closes with the service')
})

t.test('on a loopback address, Host must be a loopback name, whatever CALLER_AUTH is', async t => {
  const port = await freePort()
  await gatewayFor(t, { settings: { METRICS_PORT: String(port) } })
  const statusFor = async (...hosts: string[]) => {
    const head = hosts.map(host => `host: ${host}\r\n`).join('')
    return (await new RawClient(`http://127.0.0.1:${port}`).send(`GET /metrics HTTP/1.1\r\n${head}\r\n`))?.status
  }
  t.equal(await statusFor('rebound.example.com'), 421)
  t.equal(await statusFor('127.0.0.1', 'rebound.example.com'), 400)
  t.equal(await statusFor(`localhost:${port}`), 200)
})

t.test('no connection to the metrics stays idle before or after a scrape, and none delays closing', async t => {
  const port = await freePort()
  const gateway = await startGateway({ settings: { METRICS_PORT: String(port) } })
  const open = async (bytes: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(bytes)
    return { ended: new Promise(resolve => socket.resume().once('close', resolve)) }
  }
  const afterScrape = await open('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await afterScrape.ended
  const silent = await open('')
  await silent.ended
  const halfHead = await open('GET /metrics HTTP/1.1\r\n')
  await gateway.close()
  await halfHead.ended
  t.pass()
})

t.test('gauges count requests in progress and those that wait for a connection to Hasura', async t => {
  let finish = () => {}
  const gateway = await gatewayFor(t, {
    settings: { GRAPHQL_CONNECTIONS: '1' },
    hasura: (response, _, count) => {
      if (count === 1) finish = () => sendJson(response, '{"data":{}}')
      else sendJson(response, '{"data":{}}')
    }
  })
  const load = async () => (await gateway.app.metrics.registry.metrics()).match(/^(http_requests_in_flight|hasura_queue_length) \d+$/gm)
  t.strictSame(await load(), ['http_requests_in_flight 0', 'hasura_queue_length 0'])
  const posts = [gateway.post({ query: '{ a }' })]
  await gateway.hasura.hasReceived(1)
  posts.push(gateway.post({ query: '{ b }' }))
  while (gateway.app.turns.waitingCount === 0) await new Promise(resolve => setImmediate(resolve))
  t.strictSame(await load(), ['http_requests_in_flight 2', 'hasura_queue_length 1'])
  finish()
  await Promise.all(posts)
  await gateway.app.drain(60_000)
  t.strictSame(await load(), ['http_requests_in_flight 0', 'hasura_queue_length 0'])
})
