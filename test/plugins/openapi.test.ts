// The OpenAPI document is valid and complete, and its page is served.
import t from 'tap'
import { ERROR_TABLE } from '../../src/errors.ts'
import { gatewayFor } from '../support/gateway.ts'

type Media = { content: { 'application/json': { schema: { properties: object }; examples: object } } }
type Document = { openapi: string; paths: Record<string, { post: { requestBody: Media; responses: Record<string, Media> } }> }

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

t.test('the page is served', async t => {
  const gateway = await gatewayFor(t, { settings: { DOCS_ENABLED: 'true' } })
  const page = await fetch(`${gateway.url}/documentation`)
  t.equal(page.status, 200)
  t.match(await page.text(), /swagger-ui/)
})
