// The OpenAPI document of the stored operations, tested with a linter, a client generator and the sandbox's answers.
import { spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import openapiTypescript from 'openapi-typescript'
import t, { type Test } from 'tap'
import { FILES_OF_EVERY_KIND, schemaHasCome, tellsSchema } from '../../stored-operations/fixtures.ts'
import { gatewayFor, startGateway } from '../../support/gateway.ts'
import { sandboxFor } from '../../support/sandbox.ts'

type Operation = { operationId: string; parameters: object[]; requestBody?: object; responses: Record<string, object> }
type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, object> } }

const EXAMPLES = fileURLToPath(new URL('../../../operations', import.meta.url))
const CLIENT = fileURLToPath(new URL('./client', import.meta.url))

const documentOf = async ({ url }: { url: string }) => (await (await fetch(`${url}/documentation/json`)).json()) as Document

async function ofSandbox(t: Test) {
  const sandbox = await sandboxFor(t, { DOCS_ENABLED: 'true', OPERATIONS_DIR: EXAMPLES })
  await schemaHasCome(sandbox)
  return sandbox
}

async function ofEveryKind(t: Test) {
  const settings = { DOCS_ENABLED: 'true', OPERATIONS_DIR: t.testdir(FILES_OF_EVERY_KIND) }
  const gateway = await gatewayFor(t, { hasura: tellsSchema(), settings })
  await schemaHasCome(gateway)
  return gateway
}

function run(command: string, args: string[], cwd: string): string {
  // The shell removes the hooks that the test runner adds to a child's NODE_OPTIONS; not every program works with them.
  const line = ['unset NODE_OPTIONS; exec', command, ...args].join(' ')
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off' }
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8', cwd, env })
  return status === 0 ? 'fine' : `${stdout}${stderr}`
}

t.test('redocly finds no error, with or without types', async t => {
  const untyped = await startGateway({ settings: { DOCS_ENABLED: 'true', OPERATIONS_DIR: EXAMPLES } })
  t.teardown(() => untyped.close())
  for (const [title, service] of Object.entries({ untyped, everyKind: await ofEveryKind(t), sandbox: await ofSandbox(t) })) {
    const folder = t.testdir({ 'openapi.json': JSON.stringify(await documentOf(service)) })
    t.equal(run('redocly', ['lint', 'openapi.json'], folder), 'fine', title)
  }
})

t.test('a generated client accepts exactly what the operations accept', async t => {
  const folder = t.testdir({})
  const document = await documentOf(await ofSandbox(t))
  writeFileSync(join(folder, 'api.ts'), await openapiTypescript(structuredClone(document) as never))
  cpSync(CLIENT, folder, { recursive: true })
  t.equal(run('tsc', ['-p', '.'], folder), 'fine')
})

t.test('answers of the sandbox match the document', async t => {
  const sandbox = await ofSandbox(t)
  const document = await documentOf(sandbox)
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'document')
  const check = async (path: string, method: 'get' | 'post', query: string, body?: object) => {
    const pointer = `document#/paths/${path.replaceAll('/', '~1')}/${method}/responses/200/content/application~1json/schema`
    const validate = ajv.compile({ $ref: pointer })
    const answer = await fetch(sandbox.url + path + query, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    })
    const json = (await answer.json()) as { data?: Record<string, unknown>; errors?: unknown }
    validate(json)
    t.strictSame(validate.errors, null, `${method} ${path}${query}`)
    return { json, validate }
  }
  const { json, validate } = await check('/operations/fetch-sample-data', 'get', '?limit=3')
  const users = json.data?.users as { orders: object[] }[]
  t.equal(users.length, 3)
  t.notOk(validate({ data: { users: [{ ...users[0], id: '1' }] } }), 'another type is reported')
  t.notOk(validate({ data: { users: [{ ...users[0], more: 1 }] } }), 'so is what was not asked for')
  t.notOk(validate({ data: { users: [{ ...users[0], created_at: 'soon' }] } }), 'so is another format')
  t.notOk(validate({ data: { users: [{}] } }), 'so is what is missing')
  t.ok(validate({ data: null, errors: [{ message: 'x' }] }))
  await check('/operations/find-users', 'get', `?ids=1&ids=2&where=${encodeURIComponent('{"name":{"_ilike":"%a%"}}')}`)
  await check('/operations/find-users', 'post', '', { where: { name: { _eq: 'ada' } } })
  await check('/operations/rename-user', 'post', '', { id: 1, name: 'augusta' })
  const none = await check('/operations/rename-user', 'post', '', { id: 99, name: 'nobody' })
  t.strictSame(none.json, { data: { user: null } })
})

t.test('the document is rebuilt when the schema arrives', async t => {
  let answer = () => {}
  const gateway = await gatewayFor(t, {
    settings: { DOCS_ENABLED: 'true', OPERATIONS_DIR: t.testdir(FILES_OF_EVERY_KIND) },
    hasura: (response, request, count) => {
      answer = () => tellsSchema()(response, request, count)
    }
  })
  await gateway.hasura.hasReceived(1)
  const before = await documentOf(gateway)
  t.notOk(before.components.schemas.user_bool_exp)
  t.match(before.paths['/operations/list'], { get: { operationId: 'List' }, post: { operationId: 'ListByPost' } })
  answer()
  await schemaHasCome(gateway)
  const after = await documentOf(gateway)
  t.ok(after.components.schemas.user_bool_exp)
  t.equal(JSON.stringify(await documentOf(gateway)), JSON.stringify(after))
  const yaml = await fetch(`${gateway.url}/documentation/yaml`)
  t.match(await yaml.text(), /user_bool_exp/)
})

t.test('a subscription is described for GET and POST, with the answer in each event', async t => {
  const sandbox = await ofSandbox(t)
  const { paths, components } = await documentOf(sandbox)
  const { get, post } = paths['/operations/watch-users'] ?? {}
  for (const operation of [get, post]) t.notMatch(JSON.stringify(operation?.responses['200']), 'graphql-response')
  t.match(get, {
    operationId: 'WatchUsers',
    parameters: [{ name: 'limit' }],
    responses: {
      200: {
        content: {
          'text/event-stream': {
            schema: {
              type: 'string',
              contentMediaType: 'application/json',
              contentSchema: { $ref: '#/components/schemas/WatchUsersAnswer' }
            }
          }
        }
      }
    }
  })
  t.match(components.schemas.WatchUsersAnswer, { properties: { data: { properties: { users: { type: 'array' } } } } })
})

t.test('a query is described for GET and POST, a mutation for POST only, each with its own operationId', async t => {
  const { paths } = await documentOf(await ofEveryKind(t))
  t.strictSame(Object.keys(paths['/operations/list'] ?? {}), ['get', 'post'])
  t.strictSame(Object.keys(paths['/operations/add'] ?? {}), ['post'])
  const ids = Object.values(paths).flatMap(path => Object.values(path).map(({ operationId }) => operationId))
  t.equal(new Set(ids).size, ids.length)
  t.match(paths['/operations/list']?.get, {
    summary: 'A list.',
    description: 'Of users.\n\nUse POST to send `where`: it is an input object, which a query string can only carry as JSON text.',
    tags: ['operations'],
    parameters: [
      {
        name: 'where',
        required: false,
        schema: { type: 'string', contentMediaType: 'application/json', contentSchema: { $ref: '#/components/schemas/user_bool_exp' } },
        example: '{"id":{"_eq":1}}'
      },
      { name: 'n', required: true, style: 'form', explode: true, schema: { type: 'array', items: { type: 'integer' } }, example: [1, 2] },
      { name: 'order', required: false, schema: { type: 'array', items: { $ref: '#/components/schemas/order_by' }, default: ['asc'] } }
    ]
  })
  t.match(paths['/operations/list']?.post, {
    description: /^Of users\.$/,
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { required: ['n'], additionalProperties: false },
          example: { where: { id: { _eq: 1 } }, n: [1, 2] }
        }
      }
    }
  })
  t.notOk(paths['/operations/me']?.post?.requestBody)
  t.equal(Object.keys(paths['/operations/me']?.get?.responses ?? {}).join(), '200,400,401,403,405,406,421,429,500,502,503,504')
  t.equal(Object.keys(paths['/operations/me']?.post?.responses ?? {}).join(), '200,400,401,403,405,406,413,415,421,429,500,502,503,504')
})

t.test("each operation's answer is one component with its name, whatever the method and media type", async t => {
  const { paths, components } = await documentOf(await ofEveryKind(t))
  const answer = { $ref: '#/components/schemas/ListAnswer' }
  for (const method of ['get', 'post'])
    t.match(paths['/operations/list']?.[method]?.responses[200], {
      content: { 'application/json': { schema: answer }, 'application/graphql-response+json': { schema: answer } }
    })
  t.strictSame(
    Object.keys(components.schemas).filter(name => name.endsWith('Answer')),
    ['ErrorAnswer', 'GraphqlAnswer', 'AddAnswer', 'ListByPostAnswer', 'listOperationsAnswer', 'ListAnswer', 'MeAnswer', 'OwnersAnswer']
  )
})
