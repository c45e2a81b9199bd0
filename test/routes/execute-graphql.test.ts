// POST and GET /execute-graphql: requests are checked before anything is forwarded.
import t from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { codeOf, gatewayFor } from '../support/gateway.ts'

t.test('invalid bodies are refused with their codes, and Hasura receives none', async t => {
  const gateway = await gatewayFor(t)
  const cases: [unknown, number, string][] = [
    ['', 400, 'INVALID_JSON'],
    ['{', 400, 'INVALID_JSON'],
    ['query=a', 400, 'INVALID_JSON'],
    ['null', 400, 'INVALID_REQUEST'],
    ['[]', 400, 'INVALID_REQUEST'],
    ['[{"query":"{ a }"}]', 400, 'INVALID_REQUEST'],
    ['1e400', 400, 'INVALID_REQUEST'],
    ['"{ a }"', 400, 'INVALID_REQUEST'],
    [{}, 400, 'INVALID_REQUEST'],
    [{ query: '' }, 400, 'INVALID_REQUEST'],
    [{ query: 5 }, 400, 'INVALID_REQUEST'],
    [{ query: null }, 400, 'INVALID_REQUEST'],
    ['{"query":1.0}', 400, 'INVALID_REQUEST'],
    [{ query: '{ a }', variables: [] }, 400, 'INVALID_REQUEST'],
    [{ query: '{ a }', variables: 'x' }, 400, 'INVALID_REQUEST'],
    ['{"query":"{ a }","variables":1.0}', 400, 'INVALID_REQUEST'],
    [{ query: '{ a }', operationName: 5 }, 400, 'INVALID_REQUEST'],
    [{ query: '{ a }', extensions: 'x' }, 400, 'INVALID_REQUEST'],
    [`{"query":"{ a }","variables":{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`, 400, 'INVALID_REQUEST'],
    [`{"query":"{ a }","variables":{"n":1.0,"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`, 400, 'INVALID_REQUEST'],
    [{ query: '{ a ' }, 400, 'GRAPHQL_PARSE_FAILED'],
    [{ query: '{'.repeat(100_000) }, 400, 'GRAPHQL_PARSE_FAILED'],
    [{ query: '{ a(b: "\ud83d") }' }, 400, 'GRAPHQL_PARSE_FAILED'],
    [{ query: 'fragment F on t { a }' }, 400, 'GRAPHQL_PARSE_FAILED'],
    [{ query: 'query A { a } query B { b }' }, 400, 'OPERATION_NAME_REQUIRED'],
    [{ query: 'query A { a }', operationName: 'B' }, 400, 'OPERATION_NOT_FOUND'],
    [{ query: 'subscription { a }' }, 400, 'SUBSCRIPTION_NOT_SUPPORTED'],
    [{ query: `{${' a'.repeat(6000)} }` }, 400, 'LIMIT_EXCEEDED'],
    [' '.repeat(2_000_000), 413, 'BODY_TOO_LARGE']
  ]
  for (const [body, status, code] of cases) {
    const answer = await gateway.post(body)
    const title = (typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 60)
    t.equal(answer.status, status, title)
    t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    t.match(answer.headers.get('x-request-id'), /./)
    t.equal(await codeOf(answer), code, title)
  }
  t.equal(gateway.hasura.received.length, 0)
  t.equal((await gateway.post({ query: '{ a }' })).status, 200, 'the service keeps running')
})

t.test('a body that is not UTF-8 is INVALID_JSON', async t => {
  const gateway = await gatewayFor(t)
  const answer = await fetch(`${gateway.url}/execute-graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from([...Buffer.from('{"query":"{ a(b: \\"'), 0xff, ...Buffer.from('\\") }"}')])
  })
  t.equal(await codeOf(answer), 'INVALID_JSON')
})

t.test('media types other than JSON are refused', async t => {
  const gateway = await gatewayFor(t)
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/graphql',
    'application/jsonx',
    'multipart/form-data',
    'x'
  ]) {
    const answer = await gateway.post('{"query":"{ a }"}', { 'content-type': type })
    t.equal(answer.status, 415, type)
    t.equal(await codeOf(answer), 'UNSUPPORTED_MEDIA_TYPE', type)
  }
  for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8']) {
    t.equal((await gateway.post('{"query":"{ a }"}', { 'content-type': type })).status, 200, type)
  }
})

t.test('a syntax error is reported with its location', async t => {
  const gateway = await gatewayFor(t)
  const answer = await gateway.post({ query: '{ a(b: }' }, { 'x-request-id': 'my-id' })
  t.strictSame(await answer.json(), {
    errors: [
      {
        message: 'Syntax Error: Unexpected "}".',
        locations: [{ line: 1, column: 8 }],
        extensions: { code: 'GRAPHQL_PARSE_FAILED', requestId: 'my-id' }
      }
    ]
  })
})

t.test('GET refuses anything but a query, and variables that are not an object', async t => {
  const gateway = await gatewayFor(t)
  const get = (parameters: Record<string, string>) => fetch(`${gateway.url}/execute-graphql?${new URLSearchParams(parameters)}`)
  const mutation = await get({ query: 'mutation { a }' })
  t.equal(mutation.status, 405)
  t.equal(mutation.headers.get('allow'), 'POST')
  t.equal(await codeOf(mutation), 'METHOD_NOT_ALLOWED')
  for (const parameters of [{}, { query: '' }]) t.equal(await codeOf(await get(parameters as Record<string, string>)), 'INVALID_REQUEST')
  t.equal(await codeOf(await fetch(`${gateway.url}/execute-graphql?query={a}&query={b}`)), 'INVALID_REQUEST')
  for (const variables of ['x', '[]', '1', '1.0', '"a"', '{'])
    t.equal(await codeOf(await get({ query: '{ a }', variables })), 'INVALID_REQUEST', variables)
  t.equal(gateway.hasura.received.length, 0)
})

t.test('GET sends Hasura the same as POST', async t => {
  const gateway = await gatewayFor(t)
  const parameters = { query: 'query A($n: numeric) { a(n: $n) } query B { b }', variables: '{"n":1.0}', operationName: 'A' }
  const answer = await fetch(`${gateway.url}/execute-graphql?${new URLSearchParams(parameters)}`)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('vary'), /accept/i)
  t.equal(gateway.hasura.received[0]?.body, `{"query":${JSON.stringify(parameters.query)},"variables":{"n":1.0},"operationName":"A"}`)
})

t.test('Hasura receives only query, variables and operationName', async t => {
  const gateway = await gatewayFor(t)
  const cases: [string, string][] = [
    ['{"query":"{ a }"}', '{"query":"{ a }"}'],
    ['{"query":"{ a }","variables":null,"operationName":null,"extensions":{"x":1}}', '{"query":"{ a }"}'],
    ['{"query":"{ a }","operationName":""}', '{"query":"{ a }"}'],
    ['{"query":"{ a }","variables":{},"admin":true,"__proto__":{"x":1}}', '{"query":"{ a }","variables":{}}'],
    ['{"query":"mutation { drop }","query":"{ a }"}', '{"query":"{ a }"}'],
    ['{"operationName":"A","query":"query A { a } query B { b }"}', '{"query":"query A { a } query B { b }","operationName":"A"}'],
    [
      '{"query":"{ a }","variables":{"big":9007199254740993,"one":1.0,"zero":-0,"huge":1e400,"long":0.1000000000000000055}}',
      '{"query":"{ a }","variables":{"big":9007199254740993,"one":1.0,"zero":-0,"huge":1e400,"long":0.1000000000000000055}}'
    ],
    ['{"query":"{ a(b: \\"😀\\") }","variables":{"s":"\\ud83d"}}', '{"query":"{ a(b: \\"😀\\") }","variables":{"s":"\\ud83d"}}'],
    ['\ufeff{"query":"{ a }"}', '{"query":"{ a }"}']
  ]
  for (const [body, sent] of cases) {
    const answer = await gateway.post(body)
    t.equal(answer.status, 200, body)
    t.equal(gateway.hasura.received.at(-1)?.body, sent)
  }
})

t.test('an operation of a kind that is not allowed is refused', async t => {
  const gateway = await gatewayFor(t, { settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query' } })
  const answer = await gateway.post({ query: 'mutation { a }' })
  t.equal(answer.status, 403)
  t.equal(await codeOf(answer), 'OPERATION_NOT_ALLOWED')
  t.equal((await gateway.post({ query: '{ a }' })).status, 200)
  t.equal(gateway.hasura.received.length, 1)
})

t.test('without a token, the answer is TOKEN_UNAVAILABLE, and Hasura is not called', async t => {
  const gateway = await gatewayFor(t, { cognito: response => sendJson(response, '<html>', 200), isReady: false })
  const answer = await gateway.post({ query: '{ a }' })
  t.equal(answer.status, 503)
  t.match(answer.headers.get('retry-after'), /^\d+$/)
  t.equal(await codeOf(answer), 'TOKEN_UNAVAILABLE')
  t.equal(gateway.hasura.received.length, 0)
})
