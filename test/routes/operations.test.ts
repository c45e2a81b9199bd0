// GET and POST /operations/<name>: requests are checked, and Hasura receives the stored document with the caller's variables.
import { once } from 'node:events'
import { get as httpGet, type IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { type Files, operationsSent, schemaHasCome, tellsSchema } from '../stored-operations/fixtures.ts'
import { keysFile } from '../support/caller-keys.ts'
import { codeOf, type GatewayOptions, gatewayFor } from '../support/gateway.ts'
import { postJson } from '../support/post-json.ts'

const FILES: Files = {
  'user.graphql':
    '# One user.\nquery GetUser($id: ID!, $where: user_bool_exp, $n: [Int!] = [1]) { user(id: $id) { id } users(where: $where, n: $n) { id } }',
  'me.graphql': 'query Me { me { id } }',
  'add.graphql': 'mutation Add($user: user_insert!) { add(user: $user) { id } }'
}

async function start(t: Test, options: GatewayOptions = {}, files: Files = FILES) {
  const gateway = await gatewayFor(t, {
    hasura: tellsSchema(),
    ...options,
    settings: { OPERATIONS_DIR: t.testdir({ operations: files }).concat('/operations'), ...options.settings }
  })
  await schemaHasCome(gateway)
  const post = (name: string, body?: unknown, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    fetch(`${gateway.url}/operations/${name}`, {
      method: 'POST',
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
  const get = (path: string, method = 'GET') => fetch(`${gateway.url}/operations${path}`, { method })
  return { ...gateway, get, post, sent: () => operationsSent(gateway) }
}

t.test('an unknown name is NOT_FOUND, including a file-system path', async t => {
  const { get, post, url, sent } = await start(t)
  for (const name of [
    'nope',
    'user.graphql',
    'User',
    'fragments',
    '__proto__',
    'constructor',
    'a/b',
    '..%2fuser',
    '..%2f..%2fpackage.json',
    '%00',
    'x'.repeat(300),
    ''
  ]) {
    const answer = await get(`/${name}`)
    t.equal(answer.status, 404, name)
    t.equal(await codeOf(answer), 'NOT_FOUND', name)
  }
  t.equal((await post('nope', {})).status, 404)
  // fetch would normalise the path.
  for (const path of ['/operations/../package.json', '/operations/./me', '/operations//me']) {
    const [answer] = (await once(httpGet(new URL(url), { path }), 'response')) as [IncomingMessage]
    t.equal(answer.resume().statusCode, 404, path)
  }
  t.strictSame(sent(), [])
})

t.test('a wrong method is METHOD_NOT_ALLOWED, and Allow lists the right ones', async t => {
  const { get, post, url, sent } = await start(t)
  for (const [method, path, allow] of [
    ['GET', '/add?user={"name":"a"}', 'POST'],
    ['HEAD', '/add', 'POST'],
    ['HEAD', '/me', 'GET, POST'],
    ['PUT', '/me', 'GET, POST'],
    ['DELETE', '/add', 'POST'],
    ['OPTIONS', '/me', 'GET, POST'],
    ['POST', '', 'GET, HEAD']
  ] as const) {
    const answer = await get(path, method)
    t.equal(answer.status, 405, `${method} ${path}`)
    t.equal(answer.headers.get('allow'), allow, `${method} ${path}`)
    if (method !== 'HEAD') t.equal(await codeOf(answer), 'METHOD_NOT_ALLOWED')
  }
  const unread = await fetch(`${url}/operations/me`, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: 'x' })
  t.equal(unread.status, 405, 'before the body is read')
  t.equal((await post('add', { user: { name: 'a' } })).status, 200)
  t.equal(sent().length, 1)
})

t.test('invalid variables are INVALID_REQUEST, and Hasura receives none', async t => {
  const { get, post, sent } = await start(t)
  const answers = [
    await get('/user?n=x&nope=1'),
    await get('/user?id=1&id=2'),
    await get('/me?a=1'),
    await post('user', { n: ['x'], nope: 1 }),
    await post('user', '[]'),
    await post('user', 'null'),
    await post('add', { user: { kind: 'asc' } }),
    await post('add'),
    await post('add', '')
  ]
  for (const answer of answers) {
    t.equal(answer.status, 400)
    t.equal(await codeOf(answer.clone()), 'INVALID_REQUEST')
  }
  for (const answer of [answers[0], answers[3]])
    t.match(await answer?.text(), /\\"n\[0\]\\" must be .*\\"nope\\" is not .*\\"id\\" is missing/)
  t.equal(await codeOf(await post('user', '{')), 'INVALID_JSON')
  t.equal(await codeOf(await post('user', 'id=1', { 'content-type': 'text/plain' })), 'UNSUPPORTED_MEDIA_TYPE')
  t.strictSame(sent(), [])
})

t.test('callers are checked as on /execute-graphql, before the body', async t => {
  const { post, sent } = await start(t, { settings: { GRAPHQL_ALLOWED_OPERATIONS: 'query' } })
  const json = { 'content-type': 'application/json' }
  t.equal(await codeOf(await post('me', '{', { ...json, accept: 'text/html' })), 'NOT_ACCEPTABLE')
  t.equal(await codeOf(await post('me', '{', { ...json, 'x-hasura-role': 'admin' })), 'ROLE_NOT_ALLOWED')
  t.equal(await codeOf(await post('add', { user: { name: 'a' } })), 'OPERATION_NOT_ALLOWED')
  t.strictSame(sent(), [])
})

t.test('Hasura receives only the stored document and the variables, with every digit', async t => {
  const { get, post, sent } = await start(t)
  const query = JSON.stringify(
    'query GetUser($id: ID!, $where: user_bool_exp, $n: [Int!] = [1]) {\n  user(id: $id) {\n    id\n  }\n  users(where: $where, n: $n) {\n    id\n  }\n}'
  )
  await get('/user?id=7&n=1&n=2&where=%7B%22id%22%3A%7B%22_eq%22%3A1.0%7D%7D')
  t.equal(sent().at(-1), `{"query":${query},"variables":{"id":"7","n":[1,2],"where":{"id":{"_eq":1.0}}}}`)
  await post('user', '{"id":9007199254740993,"where":null}')
  t.equal(sent().at(-1), `{"query":${query},"variables":{"id":9007199254740993,"where":null}}`)
  const me = `{"query":${JSON.stringify('query Me {\n  me {\n    id\n  }\n}')}}`
  for (const answer of [await get('/me'), await get('/m%65'), await post('me'), await post('me', ''), await post('me', {})]) {
    t.equal(answer.status, 200)
    t.equal(sent().at(-1), me, 'no variables, in any form')
  }
})

t.test("the answer is Hasura's, byte for byte", async t => {
  const body = ' {"data": {"n":9007199254740993,  "b":1.0}}\n'
  const { get, post } = await start(t, {
    hasura: tellsSchema(response => response.writeHead(201, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body))
  })
  for (const answer of [await get('/me'), await post('me')]) {
    t.equal(answer.status, 201)
    t.equal(await answer.text(), body)
    t.equal(answer.headers.get('cache-control'), 'no-store')
    t.match(answer.headers.get('x-request-id'), /./)
  }
  t.match((await get('/me')).headers.get('vary'), /accept/)
})

t.test('the list contains what can run', async t => {
  const { get } = await start(t)
  t.strictSame(await (await get('')).json(), {
    operations: [
      { name: 'add', kind: 'mutation', variables: [{ name: 'user', type: 'user_insert!', required: true }] },
      { name: 'me', kind: 'query', variables: [] },
      {
        name: 'user',
        kind: 'query',
        description: 'One user.',
        variables: [
          { name: 'id', type: 'ID!', required: true },
          { name: 'where', type: 'user_bool_exp', required: false },
          { name: 'n', type: '[Int!]', required: false, default: [1] }
        ]
      }
    ]
  })
})

t.test('with GRAPHQL_ADHOC=false, only stored operations run', async t => {
  const { post: run, get, sent, url } = await start(t, { settings: { GRAPHQL_ADHOC: 'false' } })
  const execute = (body: object) => postJson(`${url}/execute-graphql`, body)
  for (const query of [
    '{ me { id } }',
    'query Me { me { name } }',
    'query Me { me { id } } query B { me { id } }',
    'query IntrospectionQuery { __typename }'
  ]) {
    const answer = await execute({ query, operationName: 'Me' })
    t.equal(answer.status, 403, query)
    t.equal(await codeOf(answer), 'OPERATION_NOT_ALLOWED', query)
  }
  t.equal(await codeOf(await execute({ query: '{' })), 'GRAPHQL_PARSE_FAILED')
  t.equal((await fetch(`${url}/execute-graphql?query={me{id}}`)).status, 403)
  t.strictSame(sent(), [])

  t.equal((await execute({ query: '# mine\nquery Me{me{id}}' })).status, 200)
  t.equal((await fetch(`${url}/execute-graphql?${new URLSearchParams({ query: 'query  Me { me { id, } }' })}`)).status, 200)
  t.equal(
    (await execute({ query: 'mutation Add($user:user_insert!){add(user:$user){id}}', variables: { user: { name: 'a' } } })).status,
    200
  )
  for (const answer of [await get('/me'), await run('me')]) t.equal(answer.status, 200)
  t.equal(sent()[0], sent()[3], 'what is sent is the stored document')
})

t.test('a caller with "adhoc": false runs only stored operations, and unauthenticated callers learn no names', async t => {
  const callers = keysFile({ bound: { adhoc: false, operations: ['query'] }, free: {} })
  const folder = t.testdir({ 'callers.json': callers, operations: FILES })
  const gateway = await gatewayFor(t, {
    hasura: tellsSchema(),
    settings: {
      CALLER_AUTH: 'api-key',
      CALLER_KEYS_FILE: `${folder}/callers.json`,
      OPERATIONS_DIR: `${folder}/operations`
    }
  })
  const get = (name: string, key?: string) =>
    fetch(`${gateway.url}/operations${name}`, { headers: key === undefined ? {} : { 'x-api-key': key } })
  for (const name of ['', '/me', '/add', '/nope']) t.equal((await get(name)).status, 401, name)
  for (const name of ['', '/me']) t.equal((await get(name, 'bound-key')).status, 200, name)
  t.equal((await get('/nope', 'bound-key')).status, 404)
  const query = '{ me { id } }'
  t.equal(await codeOf(await gateway.post({ query }, { 'x-api-key': 'bound-key' })), 'OPERATION_NOT_ALLOWED')
  t.equal((await gateway.post({ query: 'query Me { me { id } }' }, { 'x-api-key': 'bound-key' })).status, 200)
  t.equal((await gateway.post({ query }, { 'x-api-key': 'free-key' })).status, 200)
  const add = await postJson(`${gateway.url}/operations/add`, { user: { name: 'a' } }, { 'x-api-key': 'bound-key' })
  t.equal(await codeOf(add), 'OPERATION_NOT_ALLOWED')
})
