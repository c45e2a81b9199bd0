// How Fastify uses the schemas of routes.
import Fastify, { type FastifyPluginAsync } from 'fastify'
import t from 'tap'
import { schemaController } from '../src/schema-compilers.ts'

const Body = { type: 'object', properties: { n: { type: 'integer' }, m: { type: 'string', default: 'one' } }, required: ['n'] }

t.test('a request is checked without converting or removing anything; defaults are added', async t => {
  const app = Fastify({ schemaController })
  app.post('/', { schema: { body: Body } }, async request => request.body)
  t.strictSame((await app.inject({ method: 'POST', url: '/', body: { n: 1, x: 2 } })).json(), { n: 1, x: 2, m: 'one' })
  for (const body of [{ n: '1' }, {}, []]) t.equal((await app.inject({ method: 'POST', url: '/', body })).statusCode, 400)
})

t.test('a schema may refer to a shared one, also from an outer scope', async t => {
  const app = Fastify({ schemaController })
  app.addSchema({ $id: 'Body', ...Body })
  const inner: FastifyPluginAsync = async scope => {
    scope.addSchema({ $id: 'Other', type: 'string' })
    scope.post('/', { schema: { body: { $ref: 'Body#' } } }, async () => 'ok')
  }
  await app.register(inner)
  t.equal((await app.inject({ method: 'POST', url: '/', body: { n: 1 } })).statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: '/', body: {} })).statusCode, 400)
})

t.test('a schema with an unknown keyword, type or format prevents the start', async t => {
  for (const wrong of [{ type: 'string', maxLenght: 1 }, { type: 'text' }, { type: 'string', format: 'uuid' }]) {
    const app = Fastify({ schemaController })
    app.post('/', { schema: { body: { type: 'object', properties: { wrong } } } }, async () => 'ok')
    await t.rejects(async () => app.ready(), { code: 'FST_ERR_SCH_VALIDATION_BUILD' }, JSON.stringify(wrong))
  }
})

t.test('a response is written completely and in its own order, whatever its schema says', async t => {
  const app = Fastify({ schemaController })
  const response = { 200: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] } }
  app.get('/', { schema: { response } }, async () => ({ b: JSON.rawJSON('1.0'), a: '1' }))
  t.equal((await app.inject('/')).body, '{"b":1.0,"a":"1"}')
})
