// The OpenAPI document is valid and complete, and its page is served.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ERROR_TABLE } from '../../src/errors.ts'
import { gatewayFor, startGateway } from '../support/gateway.ts'

type Media = { content: { 'application/json': { schema: { properties: object }; examples: object } } }
type Document = { openapi: string; paths: Record<string, { post: { requestBody: Media; responses: Record<string, Media> } }> }

t.test('redocly finds no error in the document', async t => {
  const gateway = await gatewayFor(t, { settings: { DOCS_ENABLED: 'true' } })
  const answer = await fetch(`${gateway.url}/documentation/json`)
  t.equal(answer.status, 200)
  const path = join(t.testdir(), 'openapi.json')
  writeFileSync(path, await answer.text())
  const { status, stdout, stderr } = spawnSync('redocly', ['lint', path], {
    encoding: 'utf8',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off' }
  })
  t.equal(status, 0, stdout + stderr)
})

t.test('the document contains every route, every status and an example of every code', async t => {
  const gateway = await gatewayFor(t, { settings: { DOCS_ENABLED: 'true' } })
  const document = (await (await fetch(`${gateway.url}/documentation/json`)).json()) as Document
  t.equal(document.openapi, '3.1.0')
  t.strictSame(Object.keys(document.paths).sort(), ['/execute-graphql', '/health/live', '/health/ready', '/operations'])
  const post = document.paths['/execute-graphql']?.post
  t.match(post?.requestBody.content['application/json'].schema.properties, { query: { type: 'string' } })
  const shown = new Set(
    Object.values(post?.responses ?? {}).flatMap(response => Object.keys(response.content['application/json'].examples))
  )
  for (const code of Object.keys(ERROR_TABLE).filter(code => code !== 'NOT_FOUND')) t.ok(shown.has(code), code)
})

t.test('the page is served unless it is turned off', async t => {
  const on = await startGateway({ settings: { DOCS_ENABLED: 'true' } })
  const off = await startGateway({ settings: { DOCS_ENABLED: 'false' } })
  t.teardown(() => Promise.all([on.close(), off.close()]))
  const page = await fetch(`${on.url}/documentation`)
  t.equal(page.status, 200)
  t.match(await page.text(), /swagger-ui/)
  for (const path of ['/documentation', '/documentation/json']) t.equal((await fetch(off.url + path)).status, 404)
})
