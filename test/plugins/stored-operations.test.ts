// Where the schema comes from, and what happens to the operations if it does not match, is invalid or is missing.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, introspectionFromSchema, printSchema } from 'graphql'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadSettings } from '../../src/settings.ts'
import { type Files, operationsSent, SCHEMA, schemaHasCome, tellsSchema } from '../stored-operations/fixtures.ts'
import { type Answer, sendJson } from '../support/fake-server.ts'
import { codeOf, environmentFor, type Gateway, gatewayFor, givesData, startGateway } from '../support/gateway.ts'
import { watchLog } from '../support/watch-log.ts'

const FILES: Files = { 'good.graphql': 'query Good($id: ID) { user(id: $id) { id } }', 'bad.graphql': 'query Bad {\n  nope\n}' }

async function start(t: Test, settings: Record<string, string>, hasura: Answer = givesData) {
  const { logger, entries, logged } = watchLog('debug')
  const gateway = await gatewayFor(t, { logger, hasura, settings })
  const lines = (): { level: number; msg: string }[] => entries()
  const hasLogged = async (text: string) => {
    await logged(text)
    return lines().find(({ msg }) => msg.includes(text))
  }
  return { ...gateway, lines, hasLogged }
}

const get = ({ url }: Pick<Gateway, 'url'>, path: string) => fetch(url + path)
const reasonsOf = async (gateway: Pick<Gateway, 'url'>) => {
  const answer = await get(gateway, '/health/ready')
  return { status: answer.status, reasons: ((await answer.json()) as { reasons: string[] }).reasons }
}

t.test('an operation that does not match the schema file is unavailable, and the others run', async t => {
  const folder = t.testdir({ ...FILES, 'schema.graphqls': printSchema(SCHEMA) })
  const gateway = await start(t, { OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: join(folder, 'schema.graphqls') })
  t.equal(await codeOf(await get(gateway, '/operations/bad')), 'OPERATION_UNAVAILABLE')
  t.equal((await get(gateway, '/operations/good?id=1')).status, 200)
  const { status, reasons } = await reasonsOf(gateway)
  t.equal(status, 200)
  t.match(reasons, [/^The stored operation bad does not match .*bad\.graphql:2: Cannot query field "nope" on type "Query"/])
})

t.test('@cached is accepted whatever the schema says, and its arguments are checked', async t => {
  const folder = t.testdir({
    'a.graphql': 'query A($ttl: Int = 5) @cached(ttl: $ttl) { me { id } }',
    'b.graphql': 'query B @cached(tll: 5) { me { id } }',
    'schema.graphqls': printSchema(SCHEMA)
  })
  const gateway = await start(t, { OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: join(folder, 'schema.graphqls') })
  t.match((await reasonsOf(gateway)).reasons, [/Unknown argument "tll" on directive "@cached"/])
})

t.test('invalid files stop the service even without a schema', async t => {
  const settings = await loadSettings(
    environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1', { OPERATIONS_DIR: t.testdir({ 'a.graphql': '{', 'b.graphql': '{' }) })
  )
  await t.rejects(buildApp(settings), { name: 'OperationsError', message: /a\.graphql:1: Syntax Error.*\n.*b\.graphql:1: Syntax Error/ })
})

t.test('with an invalid schema file, the operations run by their declarations', async t => {
  for (const [title, text] of [
    ['empty', ''],
    ['nonsense', 'type Query {'],
    ['a type that is not there', 'type Query { a: Nope }']
  ] as const) {
    const folder = t.testdir({ ...FILES, 'schema.graphqls': text })
    const settings = { OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: join(folder, 'schema.graphqls') }
    const gateway = await start(t, settings)
    t.equal((await get(gateway, '/operations/good?id=1')).status, 200, title)
    t.equal((await get(gateway, '/operations/bad')).status, 200, title)
    const { status, reasons } = await reasonsOf(gateway)
    t.equal(status, 200, title)
    t.match(reasons[0], /HASURA_SCHEMA_FILE cannot be used/, title)
    t.match(
      gateway.lines().find(({ msg }) => msg.includes('HASURA_SCHEMA_FILE')),
      { level: 50 },
      title
    )
    t.notOk(
      gateway.hasura.received.some(({ body }) => body.includes('IntrospectionQuery')),
      'it is not asked for elsewhere'
    )
  }
})

t.test('with a schema file, Hasura is not introspected', async t => {
  const folder = t.testdir({
    'schema.graphqls': printSchema(SCHEMA),
    'good.graphql': 'query Good($id: ID, $k: order_by) { user(id: $id) { id } }'
  })
  const gateway = await start(t, { OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: join(folder, 'schema.graphqls') })
  t.equal(await codeOf(await get(gateway, '/operations/good?k=up')), 'INVALID_REQUEST', 'typed from the first request on')
  t.equal(gateway.hasura.received.length, 0)
})

t.test('only the operation that does not match the introspected schema is OPERATION_UNAVAILABLE', async t => {
  const gateway = await start(t, { OPERATIONS_DIR: t.testdir(FILES), GRAPHQL_ADHOC: 'false' }, tellsSchema())
  await schemaHasCome(gateway)
  const answer = await get(gateway, '/operations/bad')
  t.equal(answer.status, 503)
  t.equal(await codeOf(answer), 'OPERATION_UNAVAILABLE')
  t.equal(await codeOf(await gateway.post({ query: 'query Bad { nope }' })), 'OPERATION_UNAVAILABLE', 'by its text as well')
  t.equal((await get(gateway, '/operations/good')).status, 200)
  const { status, reasons } = await reasonsOf(gateway)
  t.equal(status, 200, 'the service is ready all the same')
  t.match(reasons, [/^The stored operation bad does not match .*bad\.graphql:2: Cannot query field "nope" on type "Query"\. Did/])
  t.match(
    gateway.lines().find(({ msg }) => msg.includes('bad.graphql:2')),
    { level: 50 }
  )
  t.equal(operationsSent(gateway).length, 1)
})

t.test('readiness names ten mismatches and counts the others', async t => {
  const files = Object.fromEntries(Array.from({ length: 13 }, (_, n) => [`bad${n}.graphql`, `query Bad${n} { nope }`]))
  const gateway = await start(t, { OPERATIONS_DIR: t.testdir(files) }, tellsSchema())
  await schemaHasCome(gateway)
  const { reasons } = await reasonsOf(gateway)
  t.equal(reasons.length, 11)
  t.match(reasons[10], /^3 more stored operations/)
  t.equal(gateway.lines().filter(({ msg }) => msg.includes('does not match')).length, 13)
})

t.test('if Hasura does not allow introspection, operations run by their declarations', async t => {
  const refused = '{"errors":[{"extensions":{"path":"$"},"message":"introspection is turned off"}]}'
  const answers: [string, Answer][] = [
    ['turned off', response => sendJson(response, refused)],
    ['no GraphQL', response => sendJson(response, '{"hello":1}')],
    ['a broken schema', response => sendJson(response, '{"data":{"__schema":{"types":[]}}}')],
    ['no JSON', response => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['a broken connection', response => response.destroy()],
    [
      'larger than it says',
      response =>
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '900000' }).end(`{"data":"${' '.repeat(200_000)}`)
    ]
  ]
  for (const [title, answer] of answers) {
    const gateway = await start(t, { OPERATIONS_DIR: t.testdir(FILES) }, (response, request, count) =>
      (request.body.includes('IntrospectionQuery') ? answer : givesData)(response, request, count)
    )
    t.match(await gateway.hasLogged('typed only by their declarations'), { level: 40 }, title)
    t.equal((await get(gateway, '/operations/good?id=1')).status, 200, title)
    t.equal((await get(gateway, '/operations/bad')).status, 200, title)
    t.strictSame(await reasonsOf(gateway), { status: 200, reasons: [] }, title)
  }
})

t.test('a schema of several megabytes is read completely, and introspection is retried after a refusal', async t => {
  const large = buildSchema(`type Query { ${Array.from({ length: 20_000 }, (_, n) => `field_${n}: Int`).join(' ')} }`)
  const text = JSON.stringify({ data: introspectionFromSchema(large) })
  t.ok(text.length > 2_000_000)
  const gateway = await start(t, { OPERATIONS_DIR: t.testdir({ 'a.graphql': 'query A { field_19999 }' }) }, (response, _, count) =>
    sendJson(response, count === 1 ? '{"errors":[{"message":"not yet"}]}' : text)
  )
  await gateway.hasLogged('not yet')
  await schemaHasCome(gateway)
  t.equal(gateway.app.operations.current.misfits.size, 0)
})

t.test('neither start nor stop waits for a schema that never arrives', async t => {
  const gateway = await startGateway({ hasura: () => {}, settings: { OPERATIONS_DIR: t.testdir(FILES) } })
  await gateway.hasura.hasReceived(1)
  t.equal(gateway.app.operations.current.schema, undefined)
  await gateway.close()
  t.pass('closed')
})

t.test('without operations, Hasura is not introspected, and the service warns if nothing can run', async t => {
  const gateway = await start(t, { OPERATIONS_DIR: t.testdir({ 'README.md': 'x' }), GRAPHQL_ADHOC: 'false' })
  t.strictSame(await (await get(gateway, '/operations')).json(), { operations: [] })
  t.equal(gateway.hasura.received.length, 0)
  t.ok(gateway.lines().some(({ level, msg }) => level === 40 && msg.includes('nothing can run')))
  t.ok(
    gateway.lines().some(({ level, msg }) => level === 40 && msg.includes('no stored operations')),
    'a stray file is named'
  )
})

t.test('ten thousand operations start', { timeout: 120_000 }, async t => {
  const folder = t.testdir({})
  for (let n = 0; n < 10_000; n++) writeFileSync(join(folder, `op${n}.graphql`), `query Op${n}($id: ID) { user(id: $id) { id name } }`)
  const settings = await loadSettings(environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1', { OPERATIONS_DIR: folder }))
  const app = await buildApp(settings)
  await app.ready()
  await app.operations.whenReady()
  t.equal(app.operations.current.operations.length, 10_000)
  await app.close()
})
