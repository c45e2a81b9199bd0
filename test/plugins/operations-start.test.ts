// A start with stored operations: requests for them wait until they are ready, requests with their own document do not, and invalid files stop the service.
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadSettings } from '../../src/settings.ts'
import type { Files } from '../stored-operations/fixtures.ts'
import { sha256 } from '../support/caller-keys.ts'
import { codeOf, environmentFor, type Gateway, gatewayFor } from '../support/gateway.ts'
import { postMessage } from '../support/mcp-client.ts'
import { startService } from '../support/service-process.ts'

const TEXT = 'query A($id: ID) { a(id: $id) }'
/** It parses; only GraphQL's validation, which is not loaded at start, finds the error. */
const UNSOUND = 'query Bad {\n  a(b: $c)\n}'

async function start(t: Test, files: Files, settings: Record<string, string> = {}): Promise<Gateway> {
  const gateway = await gatewayFor(t, { settings: { OPERATIONS_DIR: t.testdir(files), ...settings } })
  return gateway
}

/** Returns a function that makes the operations ready. */
function holdBack({ app: { operations } }: Gateway): () => Promise<void> {
  const { whenReady } = operations
  const { promise, resolve } = Promise.withResolvers<void>()
  operations.whenReady = () => promise
  return async () => {
    await whenReady()
    operations.whenReady = whenReady
    resolve()
  }
}

t.test('a caller may run its own document while the operations are not ready; requests that need them wait', async t => {
  const gateway = await start(t, { 'a.graphql': TEXT }, { MCP_ENABLED: 'true', DOCS_ENABLED: 'true' })
  const makeReady = holdBack(gateway)
  const { url } = gateway
  const asked: [string, Promise<Response>][] = [
    ['one of them', fetch(`${url}/operations/a?id=1`)],
    ['the list', fetch(`${url}/operations`)],
    ['one by its hash', gateway.post({ documentId: sha256(TEXT) })],
    ['the OpenAPI document', fetch(`${url}/documentation/json`)],
    ['readiness, which tells what is wrong with them', fetch(`${url}/health/ready`)],
    ['tools', postMessage(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' })]
  ]
  const answered: string[] = []
  for (const [name, answer] of asked) void answer.then(() => answered.push(name))

  while (gateway.app.requestsInFlight() < asked.length) await gateway.post({ query: '{ a }' })
  const own = await gateway.post({ query: '{ a }' })
  t.equal(own.status, 200)
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  t.strictSame(answered, [])
  t.equal(gateway.app.operations.current.operations.length, 0)

  await makeReady()
  for (const [name, answer] of asked) t.equal((await answer).status, 200, name)
  const [list, document, tools] = await Promise.all([1, 3, 5].map(async at => (await asked[at]?.[1])?.text()))
  t.match(list, '"name":"a"')
  t.match(document, '/operations/a')
  t.match(tools, '"name":"a"')
})

t.test('while only stored operations may run, every document waits for them', async t => {
  const gateway = await start(t, { 'a.graphql': TEXT }, { GRAPHQL_ADHOC: 'false' })
  const makeReady = holdBack(gateway)
  const [stored, other] = [gateway.post({ query: TEXT }), gateway.post({ query: '{ other }' })]
  while (gateway.app.requestsInFlight() < 2) await fetch(`${gateway.url}/health/live`)
  t.equal(gateway.hasura.received.filter(({ body }) => body.includes('query A')).length, 0)
  await makeReady()
  t.equal((await stored).status, 200)
  t.equal(await codeOf(await other), 'OPERATION_NOT_ALLOWED')
})

t.test('an empty folder is ready at once', async t => {
  const { app } = await start(t, {})
  t.equal(app.operations.whenReady(), undefined)
  await app.operations.started
})

t.test('a file with an error that only validation finds stops the service like any invalid file', async t => {
  const folder = t.testdir({ operations: { 'good.graphql': TEXT, 'bad.graphql': UNSOUND } })
  const service = startService(
    environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1', { OPERATIONS_DIR: `${folder}/operations` }),
    folder
  )
  t.equal(await service.exited, 1)
  t.match(service.output(), /^Bad stored operations:\n {2}\S*bad\.graphql:2: Variable "\$c" is not defined by operation "Bad"\.$/m)
})

t.test('until such a file ends the process, no stored operation runs and the service is not ready', async t => {
  const gateway = await start(t, { 'good.graphql': TEXT, 'bad.graphql': UNSOUND })
  for (const path of ['/operations/good', '/operations']) t.equal(await codeOf(await fetch(gateway.url + path)), 'INTERNAL_ERROR', path)
  const ready = await fetch(`${gateway.url}/health/ready`)
  t.equal(ready.status, 503)
  t.match(await ready.text(), 'bad.graphql:2')
  await t.rejects(gateway.app.operations.started, { name: 'OperationsError', message: /bad\.graphql:2: Variable "\$c"/ })
  t.equal(gateway.hasura.received.length, 0)
})

t.test('one message names every invalid file, whichever step finds it', async t => {
  const files = { 'unsound.graphql': UNSOUND, 'twin1.graphql': 'query T { a }', 'twin2.graphql': 'query T { b }' }
  for (const more of [{}, { 'broken.graphql': '{' }] as Files[]) {
    const settings = await loadSettings(
      environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1', { OPERATIONS_DIR: t.testdir({ ...files, ...more }) })
    )
    const error = await buildApp(settings).catch(error => error)
    t.equal(error.name, 'OperationsError')
    t.match(error.message, /unsound\.graphql:2: Variable/)
    t.match(error.message, /twin2\.graphql:1: \S*twin1\.graphql has an operation of the same name/)
    if ('broken.graphql' in more) t.match(error.message, /broken\.graphql:1: Syntax Error/)
  }
})
