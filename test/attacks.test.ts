// What a review found that an attacker could do, each held down by a test.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { codeOf, startGateway } from './support/gateway.ts'

const QUERY = { query: '{ a }' }
const DATA = '{"data":{"a":1}}'

/** A Hasura that writes bytes as they are. */
async function rawHasura(t: Test, bytes: string) {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(bytes))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const gateway = await startGateway({
    settings: { GRAPHQL_ENDPOINT: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/graphql` }
  })
  t.teardown(() => gateway.close())
  return gateway
}

t.test('a path that is a pattern of routes is no regular expression of ours', async t => {
  const gateway = await startGateway()
  t.teardown(() => gateway.close())
  for (const path of ['/:x(', '/:x([', '/:x((a+)+)', '/health/:x(', '/:x', '/*']) {
    const answer = await fetch(gateway.url + path)
    t.equal(answer.status, 404, path)
    t.equal(await codeOf(answer), 'NOT_FOUND')
  }
})

t.test('a document that Hasura v2 reads in another way is refused, before it could run a mutation as a query', async t => {
  const gateway = await startGateway({ settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query' } })
  t.teardown(() => gateway.close())
  for (const end of ['\\\\"""', '"\\"""', '\\"\\"""']) {
    const query = `fragment F on query_root { a(s: """ ${end}) } mutation A { drop } # """) } query A { ...F }`
    const answer = await fetch(`${gateway.url}/execute-graphql?${new URLSearchParams({ query })}`)
    t.equal(answer.status, 400, query)
    t.equal(await codeOf(answer), 'GRAPHQL_PARSE_FAILED')
  }
  t.equal(gateway.hasura.received.length, 0)
  t.equal((await gateway.post({ query: '{ a(s: """ "quoted" """, b: "\\\\") }' })).status, 200)
})

t.test('a status that is none is UPSTREAM_INVALID_RESPONSE, and the service lives on', async t => {
  for (const body of [DATA, `{"data":"${'x'.repeat(300_000)}"}`]) {
    const { post } = await rawHasura(t, `HTTP/1.1 600 X\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    for (let n = 0; n < 2; n++) {
      const answer = await post({ query: 'mutation { a }' })
      t.equal(answer.status, 502)
      t.equal(await codeOf(answer), 'UPSTREAM_INVALID_RESPONSE')
    }
  }
})

t.test('a header of Hasura that came twice is passed on once', async t => {
  const type = 'content-type: application/json\r\n'
  const { post } = await rawHasura(
    t,
    `HTTP/1.1 200 OK\r\n${type}${type}retry-after: 1\r\nretry-after: 2\r\ncontent-length: ${DATA.length}\r\n\r\n${DATA}`
  )
  const answer = await post(QUERY)
  t.match(answer.headers.get('content-type'), /^application\/json(;|$)/)
  t.equal(answer.headers.get('retry-after'), '1')
  t.equal(await answer.text(), DATA)
})

t.test('what is no HTTP behind a request does not get a head of its own within the answer', async t => {
  const gateway = await startGateway({
    hasura: response => void response.writeHead(200, { 'content-type': 'application/json' }).write(`{"data":"${'x'.repeat(100_000)}`)
  })
  t.teardown(() => gateway.close())
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => (answer += chunk))
  socket.on('error', () => {})
  socket.write(
    'POST /execute-graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{"query":"{ a }"}'
  )
  while (answer.length < 100_000) await once(socket, 'data')
  socket.write('GARBAGE\r\n\r\n')
  if (!socket.destroyed) await once(socket, 'close')
  t.match(answer, /^HTTP\/1\.1 200 /)
  t.notMatch(answer, 'HTTP/1.1 400')
})

t.test('a caller that neither sends nor reads is cut off', async t => {
  const gateway = await startGateway({ settings: { GRAPHQL_TIMEOUT_MS: '1000' } })
  t.teardown(() => gateway.close())
  t.equal(gateway.app.server.timeout, 11_000)
  t.equal(gateway.app.server.requestTimeout, 75_000)
})

t.test('an answer to GET that a cache may keep names every header that it depends on', async t => {
  const gateway = await startGateway({
    hasura: response => void response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60' }).end(DATA)
  })
  t.teardown(() => gateway.close())
  const answer = await fetch(`${gateway.url}/execute-graphql?query={a}`)
  t.equal(answer.headers.get('cache-control'), 'max-age=60')
  for (const name of ['accept', 'accept-encoding', 'authorization', 'x-api-key', 'x-hasura-role'])
    t.ok(answer.headers.get('vary')?.split(/, */).includes(name), name)
})
