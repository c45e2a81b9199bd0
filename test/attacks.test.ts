// Attacks that a review found, each prevented and tested.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { operationsSent, schemaHasCome, tellsSchema } from './stored-operations/fixtures.ts'
import { codeOf, type Gateway, gatewayFor } from './support/gateway.ts'
import { postJson } from './support/post-json.ts'

const QUERY = { query: '{ a }' }
const DATA = '{"data":{"a":1}}'

/** A Hasura that answers with these exact bytes. */
async function rawHasura(t: Test, bytes: string) {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(bytes))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const gateway = await gatewayFor(t, {
    settings: { GRAPHQL_ENDPOINT: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/graphql` }
  })
  return gateway
}

t.test('a path that looks like a route pattern is not compiled to a regular expression', async t => {
  const gateway = await gatewayFor(t)
  for (const path of ['/:x(', '/:x([', '/:x((a+)+)', '/health/:x(', '/:x', '/*']) {
    const answer = await fetch(gateway.url + path)
    t.equal(answer.status, 404, path)
    t.equal(await codeOf(answer), 'NOT_FOUND')
  }
})

/** What Hasura received. */
const sentTo = (gateway: Gateway) => gateway.hasura.received.map(({ body }) => JSON.parse(body) as { query: string; variables?: object })

t.test('a block string that Hasura v2 would end elsewhere is sent as a quoted string, and cannot run a mutation as a query', async t => {
  const gateway = await gatewayFor(t, { settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query' } })
  for (const end of ['\\\\"""', '"\\"""', '\\"\\"""']) {
    const query = `fragment F on query_root { a(s: """ ${end}) } mutation A { drop } # """) } query A { ...F }`
    const answer = await fetch(`${gateway.url}/execute-graphql?${new URLSearchParams({ query })}`)
    t.equal(answer.status, 200, query)
    const sent = sentTo(gateway).at(-1)?.query ?? ''
    t.notMatch(sent, '"""')
    t.match(sent, /^fragment F on query_root \{ a\(s: "(?:[^"\\]|\\.)*mutation A(?:[^"\\]|\\.)*"\) \} query A \{ \.\.\.F \}$/)
  }
})

t.test('variables reach Hasura byte for byte, a megabyte of floats included', async t => {
  const gateway = await gatewayFor(t)
  for (const item of ['1.0, ', '-0,', '1e400 , ', '9007199254740993,']) {
    const variables = `{"a": [${item.repeat(1_000_000 / item.length)}1]}`
    const answer = await gateway.post(`{"query":"{ a }", "variables" : ${variables} }`)
    t.equal(answer.status, 200, item)
    t.ok(gateway.hasura.received.at(-1)?.body === `{"query":"{ a }","variables":${variables}}`, item)
  }
})

t.test('if a member appears twice, Hasura receives the one that was checked', async t => {
  const gateway = await gatewayFor(t, { settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query' } })
  const hidden = '{"query":"mutation { b }","vari\\u0061bles":{"x":1},"\\u0071uery":"{ a }","variables":{"y":2}}'
  t.equal((await gateway.post(hidden)).status, 200)
  t.equal(gateway.hasura.received.at(-1)?.body, '{"query":"{ a }","variables":{"y":2}}')
  const shown = '{"query":"{ a }","qu\\u0065ry":"mutation { b }"}'
  t.equal(await codeOf(await gateway.post(shown)), 'OPERATION_NOT_ALLOWED')
  t.equal(gateway.hasura.received.length, 1)
})

t.test('a body that is too deep or too wide is refused before it is parsed', async t => {
  const gateway = await gatewayFor(t)
  const bodies = [
    `{"query":"{ a }","variables":{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`,
    `{"query":"{ a }","variables":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    '['.repeat(1_000_000),
    `{"query":"{ a }"${',"a":1'.repeat(100_000)}}`
  ]
  for (const body of bodies) {
    const answer = await gateway.post(body)
    t.equal(answer.status, 400)
    t.equal(await codeOf(answer), 'INVALID_REQUEST', body.slice(0, 40))
  }
  t.equal(gateway.hasura.received.length, 0)
})

t.test('a small document that asks for everything, or a large one that asks for nothing, exceeds a limit', async t => {
  const gateway = await gatewayFor(t)
  const bomb = Array.from({ length: 40 }, (_, n) => `fragment F${n} on t { ...F${n + 1} ...F${n + 1} }`).join(' ')
  const documents: [string, RegExp][] = [
    [`{ ...F0 } ${bomb} fragment F40 on t { a }`, /GRAPHQL_MAX_FIELDS of 5000/],
    [`${'#\n'.repeat(300_000)}{ a }`, /GRAPHQL_MAX_TOKENS of 5000/],
    [`${'#\n'.repeat(300_000)}}`, /GRAPHQL_MAX_TOKENS of 5000/],
    [`{ a(b: ${'['.repeat(400_000)}`, /200 nested braces, brackets and parentheses/],
    [`{ a ${'... { a '.repeat(300)}`, /200 nested braces, brackets and parentheses/],
    [`{ ${Array.from({ length: 20_000 }, (_, n) => `a${n}: a`).join(' ')} }`, /GRAPHQL_MAX_TOKENS of 5000/]
  ]
  for (const [query, message] of documents) {
    const answer = await gateway.post({ query })
    t.equal(answer.status, 400)
    t.match(await answer.json(), { errors: [{ message, extensions: { code: 'LIMIT_EXCEEDED' } }] })
  }
  t.equal(gateway.hasura.received.length, 0)
})

t.test('checking the variables of a stored operation stops after twenty faults, however deep they are', async t => {
  const gateway = await gatewayFor(t, {
    hasura: tellsSchema(),
    settings: { OPERATIONS_DIR: t.testdir({ 'list.graphql': 'query List($where: user_bool_exp) { users(where: $where) { id } }' }) }
  })
  await schemaHasCome(gateway)
  const depth = 900
  const body = `{"where":${'{"_not":'.repeat(depth)}{"id":{"_in":[${'"",'.repeat(300_000)}1]}}${'}'.repeat(depth)}}`
  const answer = await postJson(`${gateway.url}/operations/list`, body)
  t.equal(answer.status, 400)
  const { errors } = (await answer.json()) as { errors: { message: string }[] }
  t.match(errors[0]?.message, /(?:"where\._not[^"]*" must be a whole number[^;]*; ){20}the rest was not checked$/)
  t.equal(operationsSent(gateway).length, 0)
})

t.test('an invalid status is UPSTREAM_INVALID_RESPONSE, and the service keeps running', async t => {
  for (const body of [DATA, `{"data":"${'x'.repeat(300_000)}"}`]) {
    const { post } = await rawHasura(t, `HTTP/1.1 600 X\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    for (let n = 0; n < 2; n++) {
      const answer = await post({ query: 'mutation { a }' })
      t.equal(answer.status, 502)
      t.equal(await codeOf(answer), 'UPSTREAM_INVALID_RESPONSE')
    }
  }
})

t.test('a header that Hasura sends twice is passed on once', async t => {
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

t.test('bytes after a request that are not HTTP do not put a second head into the answer', async t => {
  const gateway = await gatewayFor(t, {
    hasura: response => void response.writeHead(200, { 'content-type': 'application/json' }).write(`{"data":"${'x'.repeat(100_000)}`)
  })
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
  const gateway = await gatewayFor(t, { settings: { GRAPHQL_TIMEOUT_MS: '1000' } })
  t.equal(gateway.app.server.timeout, 11_000)
  t.equal(gateway.app.server.requestTimeout, 75_000)
})

t.test('a cacheable answer to GET names every header that it depends on', async t => {
  const gateway = await gatewayFor(t, {
    hasura: response => void response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60' }).end(DATA)
  })
  const answer = await fetch(`${gateway.url}/execute-graphql?query={a}`)
  t.equal(answer.headers.get('cache-control'), 'max-age=60')
  for (const name of ['accept', 'accept-encoding', 'authorization', 'x-api-key', 'x-hasura-role'])
    t.ok(answer.headers.get('vary')?.split(/, */).includes(name), name)
})
