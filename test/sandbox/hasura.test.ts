// The Hasura stand-in's routes, headers, queries and mutations.
import { gunzipSync } from 'node:zlib'
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql'
import t from 'tap'
import { request } from 'undici'
import { buildSandboxSchema } from '../../sandbox/schema.ts'
import { run, standInsFor } from './support.ts'

const BY_ID = 'query User($id: Int!) { users_by_pk(id: $id) { name } }'

t.test('GET is never supported', async t => {
  const { hasura } = await standInsFor(t)
  const answer = await request(`${hasura.url}?query={users{id}}`)
  t.equal(answer.statusCode, 200)
  t.match(await answer.body.json(), { errors: [{ message: 'PersistedQueryNotSupported' }] })
})

t.test('an unknown route is 404, and health and version need no credential', async t => {
  const { hasura } = await standInsFor(t)
  const get = async (path: string) => {
    const { statusCode, body } = await request(new URL(path, hasura.url))
    return [statusCode, await body.text()]
  }
  t.same(await get('/v2/graphql'), [404, '{"error":"resource does not exist","path":"$","code":"not-found"}'])
  t.same(await get('/healthz'), [200, 'OK'])
  t.same(await get('/v1/version'), [200, '{"server_type":"ce","version":"v2.43.0"}'])
})

t.test('only large successful answers are compressed, and only on request', async t => {
  const standIns = await standInsFor(t)
  const large = { query: '{ users { id name external_id created_at settings orders { id number total placed_at } } }' }
  const gzip = { 'accept-encoding': 'gzip' }

  const plain = await run(standIns, large)
  t.ok(plain.bytes.length > 700)
  t.equal(plain.headers['content-encoding'], undefined)
  t.equal((await run(standIns, { query: '{ users(limit: 1) { id } }' }, gzip)).headers['content-encoding'], undefined)
  t.equal((await run(standIns, { query: `{ ${'x'.repeat(1000)} }` }, gzip)).headers['content-encoding'], undefined)

  const packed = await run(standIns, large, gzip)
  t.equal(packed.headers['content-encoding'], 'gzip')
  t.equal(gunzipSync(packed.bytes).toString(), plain.text)
})

t.test('a successful answer has the request ID, the content type and only the expected members', async t => {
  const body = { query: BY_ID, variables: { id: 2 }, operationName: 'User', extensions: {} }
  const answer = await run(await standInsFor(t), body, { 'x-request-id': 'r2' })
  t.equal(answer.text, '{"data":{"users_by_pk":{"name":"grace"}}}')
  t.equal(answer.headers['x-request-id'], 'r2')
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
})

t.test('filters, order and paging work through relationships', async t => {
  const query = `query ($where: users_bool_exp) {
    users(where: $where, order_by: [{name: desc}], limit: 2) { name orders(order_by: {total: desc}, limit: 1) { total user { id } } }
  }`
  const where = { _or: [{ orders: { note: { _is_null: false } } }, { name: { _ilike: 'G%' } }], _not: { id: { _in: [9] } } }
  const answer = await run(await standInsFor(t), { query, variables: { where } })
  t.equal(
    answer.text,
    '{"data":{"users":[{"name":"linus","orders":[{"total":12345678901234567890.12,"user":{"id":3}}]},' +
      '{"name":"grace","orders":[{"total":7.25,"user":{"id":2}}]}]}}'
  )
})

t.test('a number beyond 2^53 keeps its digits in answers and variables', async t => {
  const query = 'query ($number: bigint) { orders(where: {number: {_eq: $number}}) { id number } }'
  const answer = await run(await standInsFor(t), `{"query":${JSON.stringify(query)},"variables":{"number":9007199254740993}}`)
  t.equal(answer.text, '{"data":{"orders":[{"id":2,"number":9007199254740993}]}}')
})

t.test('a user can be inserted, changed and deleted', async t => {
  const standIns = await standInsFor(t)
  const settings = '{"theme":"dark","size":1.50,"seen":9007199254740993}'
  const insert = 'mutation ($settings: jsonb) { insert_users_one(object: {name: "margaret", settings: $settings}) { id settings } }'
  const inserted = await run(standIns, `{"query":${JSON.stringify(insert)},"variables":{"settings":${settings}}}`)
  t.equal(inserted.text, `{"data":{"insert_users_one":{"id":6,"settings":${settings}}}}`)
  const update = 'mutation { update_users_by_pk(pk_columns: {id: 6}, _set: {name: "hamilton"}) { name } }'
  t.equal((await run(standIns, { query: update })).text, '{"data":{"update_users_by_pk":{"name":"hamilton"}}}')
  const remove = { query: 'mutation { delete_users_by_pk(id: 6) { name } }' }
  t.equal((await run(standIns, remove)).text, '{"data":{"delete_users_by_pk":{"name":"hamilton"}}}')
  t.equal((await run(standIns, remove)).text, '{"data":{"delete_users_by_pk":null}}')
})

t.test('introspection returns the schema of the SDL', async t => {
  const { text } = await run(await standInsFor(t), { query: getIntrospectionQuery() })
  t.equal(printSchema(buildClientSchema(JSON.parse(text).data)), printSchema(buildSandboxSchema()))
})
