// Every error has the shape of a GraphQL response, whatever went wrong.
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { toGatewayError } from '../../plugins/errors.ts'
import { AttemptError } from '../../src/http1/attempt-error.ts'
import { codeOf, gatewayFor } from '../support/gateway.ts'
import { watchLog } from '../support/watch-log.ts'

/** Sends raw bytes and reads until the other side closes. */
async function raw(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => (answer += chunk))
  socket.on('error', () => {})
  socket.end(bytes)
  await once(socket, 'close')
  return answer
}

t.test('an unknown route is NOT_FOUND', async t => {
  const gateway = await gatewayFor(t)
  for (const [method, path] of [
    ['GET', '/'],
    ['POST', '/execute'],
    ['GET', '/execute-graphql/x'],
    ['DELETE', '/health'],
    ['GET', '/documentation'],
    ['POST', '/*execute-?graphql'],
    ['GET', '/:name(']
  ] as const) {
    const answer = await fetch(gateway.url + path, { method })
    t.equal(answer.status, 404, `${method} ${path}`)
    t.match(answer.headers.get('x-request-id'), /./)
    t.equal(await codeOf(answer), 'NOT_FOUND')
  }
})

t.test('a method that a route does not support is METHOD_NOT_ALLOWED', async t => {
  const gateway = await gatewayFor(t)
  for (const [method, path, allow] of [
    ['PUT', '/execute-graphql?query={a}', 'GET, POST'],
    ['DELETE', '/execute-graphql', 'GET, POST'],
    ['OPTIONS', '/execute-graphql', 'GET, POST'],
    ['POST', '/health/live', 'GET, HEAD'],
    ['PATCH', '/health/ready', 'GET, HEAD']
  ] as const) {
    const answer = await fetch(gateway.url + path, { method })
    t.equal(answer.status, 405, `${method} ${path}`)
    t.equal(answer.headers.get('allow'), allow)
    t.equal(await codeOf(answer), 'METHOD_NOT_ALLOWED')
  }
  t.equal((await fetch(`${gateway.url}/execute-graphql?query={a}`, { method: 'HEAD' })).status, 405, 'HEAD would cost a call to Hasura')
  t.equal(gateway.hasura.received.length, 0)
})

t.test('a path that cannot be decoded is INVALID_REQUEST', async t => {
  const gateway = await gatewayFor(t)
  const answer = await fetch(`${gateway.url}/%zz`)
  t.equal(answer.status, 400)
  t.equal(await codeOf(answer), 'INVALID_REQUEST')
})

t.test('bytes that are not HTTP are answered 400', async t => {
  const gateway = await gatewayFor(t)
  for (const bytes of ['GARBAGE\r\n\r\n', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`]) {
    const answer = await raw(gateway.url, bytes)
    t.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
    t.match(answer, /x-request-id: [0-9a-f-]{36}\r\n/)
    t.match(answer, /"code":"INVALID_REQUEST"/)
  }
  t.equal((await gateway.post({ query: '{ a }' })).status, 200, 'the service keeps running')
})

t.test('an internal error shows no details to the caller, and the log has all of them', async t => {
  const { logger, lines } = watchLog()
  const gateway = await gatewayFor(t, { logger })
  gateway.app.hasura.execute = () => Promise.reject(new Error('the inner reason'))
  const answer = await gateway.post({ query: '{ a }' }, { 'x-request-id': 'id-1' })
  t.equal(answer.status, 500)
  const body = await answer.text()
  t.match(body, /"code":"INTERNAL_ERROR"/)
  t.notMatch(body, /inner reason/)
  const line = lines.find(line => line.includes('request failed'))
  t.match(JSON.parse(line ?? '{}'), { level: 50, requestId: 'id-1', err: { message: 'the inner reason' } })
})

t.test('whatever is thrown becomes an error from the table', async t => {
  for (const thrown of [undefined, null, 'text', 5, {}, new Error('x'), Object.assign(new Error('x'), { statusCode: 503 })]) {
    t.equal(toGatewayError(thrown).code, 'INTERNAL_ERROR', String(thrown))
  }
  t.equal(toGatewayError(Object.assign(new Error('x'), { statusCode: 418 })).code, 'INVALID_REQUEST')
  t.equal(toGatewayError(new AttemptError('answered', 'timeout')).code, 'UPSTREAM_TIMEOUT')
  t.equal(toGatewayError(new AttemptError('answered', 'broken')).code, 'UPSTREAM_INVALID_RESPONSE')
})
