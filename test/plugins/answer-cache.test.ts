// Queries with @cached: what reaches Hasura, what callers get, and which callers are refused.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { keysFile } from '../support/caller-keys.ts'
import { type Answer, sendJson } from '../support/fake-server.ts'
import { codeOf, startGateway } from '../support/gateway.ts'

const QUERY = { query: 'query Q @cached { a }' }
const JSON_TEXT = ' {"data": {"n":9007199254740993, "é":"✓"}}\n'

/** A Hasura whose answers differ each time. */
const counts: Answer = (response, _, count) => sendJson(response, `{"data":{"count":${count}}}`)

const statusOf = (answer: Response) => answer.headers.get('cache-status')

async function gatewayFor(t: Test, options: Parameters<typeof startGateway>[0] = {}) {
  const gateway = await startGateway({ hasura: counts, ...options })
  t.teardown(() => gateway.close())
  const get = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/execute-graphql?query=${encodeURIComponent(query)}`, { headers })
  return { ...gateway, get }
}

t.test('an invalid directive is refused, and Hasura is not called', async t => {
  const { post, hasura } = await gatewayFor(t)
  for (const directive of ['@cached(ttl: 0)', '@cached(ttl: -1)', '@cached(ttl: 1000000000)', '@cached(ttl: "60")', '@cached @cached']) {
    const answer = await post({ query: `query ${directive} { a }` })
    t.equal(answer.status, 400, directive)
    t.equal(await codeOf(answer), 'INVALID_REQUEST', directive)
  }
  const answer = await post({ query: 'query ($t: Int!) @cached(ttl: $t) { a }', variables: { t: '60' } })
  t.equal(await codeOf(answer), 'INVALID_REQUEST', 'a variable that is a string')
  t.equal(hasura.received.length, 0)
})

t.test('a caller that may not call, or may not run queries, gets no cached answer', async t => {
  const file = join(t.testdir(), 'keys.json')
  writeFileSync(file, keysFile({ web: {}, writer: { operations: ['mutation'] }, once: { rateLimitPerMinute: 1 } }))
  const { post, get } = await gatewayFor(t, { settings: { CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: file } })
  await post(QUERY, { 'x-api-key': 'web-key' })
  t.equal(statusOf(await post(QUERY, { 'x-api-key': 'web-key' })), 'gateway; hit; ttl=60')
  for (const headers of [{}, { 'x-api-key': 'nobody' }] as Record<string, string>[]) {
    t.equal((await post(QUERY, headers)).status, 401)
    t.equal((await get(QUERY.query, headers)).status, 401)
  }
  t.equal(await codeOf(await post(QUERY, { 'x-api-key': 'writer-key' })), 'OPERATION_NOT_ALLOWED')
  t.equal((await post(QUERY, { 'x-api-key': 'once-key' })).status, 200)
  t.equal(await codeOf(await post(QUERY, { 'x-api-key': 'once-key' })), 'RATE_LIMITED')
  t.equal((await get(QUERY.query, { 'x-api-key': 'web-key' })).headers.get('cache-control'), 'private, max-age=60')
})

t.test('an answer with errors is not cached', async t => {
  const { post, hasura } = await gatewayFor(t, { hasura: response => sendJson(response, '{"errors":[{"message":"no"}],"data":null}') })
  for (const count of [1, 2]) {
    t.equal(statusOf(await post(QUERY)), 'gateway; fwd=uri-miss')
    t.equal(hasura.received.length, count)
  }
})

t.test('a cached answer is returned byte for byte, and Hasura is called once, without the directive', async t => {
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    const { post, hasura } = await gatewayFor(t, { hasura: response => sendJson(response, JSON_TEXT) })
    const query = 'query Q($t: Int, $b: numeric) @cached(ttl: $t) { a(b: $b) }'
    const body = `{"query":${JSON.stringify(query)},"variables":{"t":90,"b":1.0}}`
    const first = await post(body, { accept })
    t.equal(statusOf(first), 'gateway; fwd=uri-miss; stored')
    t.equal(first.headers.get('age'), null)
    t.equal(await first.text(), JSON_TEXT)
    const second = await post(body, { accept })
    t.match(statusOf(second), /^gateway; hit; ttl=(90|8\d)$/)
    t.match(second.headers.get('age'), /^\d$/)
    t.equal(second.headers.get('cache-control'), null)
    t.equal(await second.text(), JSON_TEXT)
    t.equal(second.status, 200)
    t.equal(second.headers.get('content-type'), `${accept}; charset=utf-8`)
    t.equal(second.headers.get('content-length'), String(Buffer.byteLength(JSON_TEXT)))
    t.equal(hasura.received.length, 1)
    t.equal(hasura.received[0]?.body, `{"query":${JSON.stringify('query Q($b: numeric) { a(b: $b) }')},"variables":{"b":1.0}}`)
  }
})

t.test('everything that an answer depends on is part of its key, and layout is not', async t => {
  const { post, hasura } = await gatewayFor(t, { settings: { HASURA_ALLOWED_ROLES: 'one,two', FORWARD_HEADERS: 'X-Tenant' } })
  const query = 'query Q($a: Int) @cached { a(b: $a) } query R @cached { a }'
  const asked = { query, operationName: 'Q', variables: { a: 1 } }
  const same: [unknown, Record<string, string>?][] = [
    [asked],
    [{ ...asked, query: query.replaceAll(' ', '\n  # so\n') }],
    [{ ...asked, query: query.replace('@cached', '@cached(ttl: 3600)') }],
    [asked, { 'x-other': 'x', 'x-request-id': 'id' }]
  ]
  for (const [body, headers] of same) t.equal(await (await post(body, headers)).text(), '{"data":{"count":1}}')
  const others: [unknown, Record<string, string>?][] = [
    [{ ...asked, query: query.replace('a(b', 'c(b') }],
    [{ ...asked, operationName: 'R' }],
    [{ ...asked, variables: { a: 2 } }],
    [{ ...asked, variables: {} }],
    [asked, { 'x-hasura-role': 'one' }],
    [asked, { 'x-hasura-role': 'two' }],
    [asked, { 'x-tenant': 'a' }],
    [asked, { 'accept-encoding': 'identity' }]
  ]
  for (const [index, [body, headers]] of others.entries()) {
    t.equal(await (await post(body, headers)).text(), `{"data":{"count":${index + 2}}}`)
    t.equal(await (await post(body, headers)).text(), `{"data":{"count":${index + 2}}}`)
  }
  t.equal(hasura.received.length, others.length + 1)
})

t.test('refresh: true calls Hasura and caches the new answer', async t => {
  const { post } = await gatewayFor(t)
  await post(QUERY)
  const refreshed = await post({ query: 'query Q @cached(refresh: true) { a }' })
  t.equal(statusOf(refreshed), 'gateway; fwd=request; stored')
  t.equal(await refreshed.text(), '{"data":{"count":2}}')
  t.equal(await (await post(QUERY)).text(), '{"data":{"count":2}}')
})

t.test('only one of many equal queries goes to Hasura', async t => {
  const { post, hasura, app } = await gatewayFor(t)
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(QUERY)))
  for (const answer of answers) t.equal(await answer.text(), '{"data":{"count":1}}')
  t.equal(hasura.received.length, 1)
  t.match(await app.metrics.registry.getSingleMetricAsString('answer_cache_total'), /outcome="hit"} 19\b/)
  t.match(await app.metrics.registry.getSingleMetricAsString('answer_cache_total'), /outcome="stored"} 1\b/)
})

t.test('if the asking caller leaves, the waiting callers still get an answer', async t => {
  let answerFirst = () => {}
  const { post, hasura } = await gatewayFor(t, {
    hasura: (response, request, count) => {
      if (count > 1) counts(response, request, count)
      else answerFirst = () => counts(response, request, count)
    }
  })
  const caller = new AbortController()
  const left = post(QUERY, {}, caller.signal)
  await hasura.hasReceived(1)
  const waiting = [post(QUERY), post(QUERY)]
  caller.abort()
  await t.rejects(left)
  for (const answer of await Promise.all(waiting)) t.equal(await answer.text(), '{"data":{"count":2}}')
  answerFirst()
})

t.test('a hit needs no turn for Hasura', async t => {
  let finish = () => {}
  const { post, hasura } = await gatewayFor(t, {
    hasura: (response, request, count) => {
      if (request.body.includes('slow')) finish = () => counts(response, request, count)
      else counts(response, request, count)
    },
    settings: { GRAPHQL_CONNECTIONS: '1', GRAPHQL_QUEUE: '0' }
  })
  await post(QUERY)
  const slow = post({ query: '{ slow }' })
  await hasura.hasReceived(2)
  t.equal(await codeOf(await post({ query: '{ other }' })), 'OVERLOADED')
  t.equal((await post(QUERY)).status, 200)
  finish()
  t.equal((await slow).status, 200)
})

t.test('a large answer is cached up to 1 MiB, and beyond that only passed on', async t => {
  for (const [size, isKept] of [
    [500_000, true],
    [1_500_000, false]
  ] as const) {
    for (const isLengthKnown of [true, false]) {
      const text = `{"data":"${'x'.repeat(size)}"}`
      const { post, hasura } = await gatewayFor(t, {
        hasura: response => {
          response.writeHead(200, { 'content-type': 'application/json', ...(isLengthKnown && { 'content-length': text.length }) })
          response.end(text)
        }
      })
      for (let n = 0; n < 3; n++) t.ok((await (await post(QUERY)).text()) === text)
      t.equal(hasura.received.length, isKept ? 1 : 3)
    }
  }
})

t.test('a large answer that breaks off is an error, and the next request calls Hasura again', async t => {
  const { post } = await gatewayFor(t, {
    hasura: (response, request, count) => {
      if (count > 1) return counts(response, request, count)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(`{"data":"${'x'.repeat(200_000)}`, () => response.destroy())
    }
  })
  const broken = await post({ query: 'query Q @cached { a }' })
  t.equal(await codeOf(broken), 'UPSTREAM_INVALID_RESPONSE')
  t.equal(await (await post(QUERY)).text(), '{"data":{"count":2}}')
})

t.test('a compressed answer is cached for callers that accept it', async t => {
  const bytes = gzipSync('{"data":{"a":1}}')
  const { url, hasura } = await gatewayFor(t, {
    hasura: (response, { headers }) =>
      headers['accept-encoding'] === 'gzip'
        ? response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bytes)
        : sendJson(response, '{"data":{"plain":1}}')
  })
  const address = `${url}/execute-graphql?query=${encodeURIComponent(QUERY.query)}`
  for (let n = 0; n < 2; n++) {
    const answer = await fetch(address, { headers: { 'accept-encoding': 'gzip' } })
    t.equal(answer.headers.get('content-encoding'), 'gzip')
    t.equal(answer.headers.get('content-length'), String(bytes.length))
    t.equal(await answer.text(), gunzipSync(bytes).toString())
  }
  t.equal(await (await fetch(address, { headers: { 'accept-encoding': 'identity' } })).text(), '{"data":{"plain":1}}')
  t.equal(hasura.received.length, 2)
})

t.test('with GET, an answer states its lifetime, and can be revalidated with 304', async t => {
  const { get, hasura } = await gatewayFor(t, { settings: { FORWARD_HEADERS: 'X-Tenant' } })
  const first = await get('query @cached(ttl: 90) { a }')
  const etag = first.headers.get('etag') ?? ''
  t.match(etag, /^"[\w-]+"$/)
  t.equal(first.headers.get('cache-control'), 'public, max-age=90')
  for (const name of ['accept', 'accept-encoding', 'authorization', 'x-api-key', 'x-hasura-role', 'x-tenant'])
    t.ok(first.headers.get('vary')?.toLowerCase().split(', ').includes(name), name)
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await get('query @cached(ttl: 90) { a }', { 'if-none-match': tags })
    t.equal(again.status, 304, tags)
    t.equal(again.headers.get('etag'), etag)
    t.match(again.headers.get('cache-control'), /^public, max-age=(90|8\d)$/)
    t.match(statusOf(again), /^gateway; hit; ttl=/)
    t.ok(again.headers.has('age'))
    t.ok(again.headers.has('vary'))
    t.equal(await again.text(), '')
  }
  t.equal((await get('query @cached(ttl: 90) { a }', { 'if-none-match': '"other"' })).status, 200)
  t.equal(hasura.received.length, 1)
})

t.test('a mutation, a query without the directive, and any query with the cache off are forwarded unchanged', async t => {
  const mutation = 'mutation @cached(ttl: 0) { a }'
  const { post, hasura } = await gatewayFor(t)
  for (const query of [mutation, '{ a }']) {
    for (let n = 0; n < 2; n++) t.equal(statusOf(await post({ query })), null)
    t.equal(hasura.received.at(-1)?.body, JSON.stringify({ query }))
  }
  t.equal(hasura.received.length, 4)
  const off = await gatewayFor(t, { settings: { ANSWER_CACHE_MAX_BYTES: '0' } })
  for (let n = 0; n < 2; n++) t.equal(statusOf(await off.post(QUERY)), null)
  t.equal(off.hasura.received.length, 2)
  t.equal(off.hasura.received.at(-1)?.body, JSON.stringify(QUERY))
})

t.test('a stored operation may be cached, and its variables are still checked', async t => {
  const folder = t.testdir({
    'users.graphql': 'query Users($limit: Int!, $ttl: Int = 30) @cached(ttl: $ttl) { users(limit: $limit) { id } }'
  })
  const { url, hasura } = await gatewayFor(t, { settings: { OPERATIONS_DIR: folder } })
  for (const [query, status] of [
    ['limit=5', 'gateway; fwd=uri-miss; stored'],
    ['limit=5', 'gateway; hit; ttl=30'],
    ['limit=5&ttl=20', 'gateway; hit; ttl=20'],
    ['limit=6', 'gateway; fwd=uri-miss; stored']
  ])
    t.equal(statusOf(await fetch(`${url}/operations/users?${query}`)), status)
  t.equal((await fetch(`${url}/operations/users?limit=5&ttl=0`)).status, 400)
  t.equal((await fetch(`${url}/operations/users?limit=x`)).status, 400)
  t.notMatch(hasura.received.at(-1)?.body, /cached|ttl/)
})

t.test('a caller that accepts only an event stream gets a cached answer as an event', async t => {
  const { get } = await gatewayFor(t)
  await get(QUERY.query, { 'accept-encoding': 'identity' })
  const answer = await get(QUERY.query, { accept: 'text/event-stream', 'if-none-match': '*' })
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/event-stream/)
  t.equal(answer.headers.get('etag'), null)
  t.equal(statusOf(answer), 'gateway; hit; ttl=60')
  t.match(await answer.text(), /^event: next\ndata: {"data":{"count":1}}\n/)
})
