// The Hasura stand-in's answers to invalid documents, variables and values, byte for byte.
import t from 'tap'
import { errorText, run, standInsFor } from './support.ts'

const BY_ID = 'query User($id: Int!) { users_by_pk(id: $id) { name } }'

const FAULTS: readonly { title: string; body: object; code?: string; message: string; path?: string }[] = [
  { title: 'a syntax error', body: { query: '{ users {' }, message: 'not a valid graphql query', path: '$.query' },
  {
    title: 'an unknown field of the root',
    body: { query: '{ NotATable { id } }' },
    message: "field 'NotATable' not found in type: 'query_root'",
    path: '$.selectionSet.NotATable'
  },
  {
    title: 'an unknown field of a table',
    body: { query: '{ users { orders { nope } } }' },
    message: "field 'nope' not found in type: 'orders'",
    path: '$.selectionSet.users.selectionSet.orders.selectionSet.nope'
  },
  {
    title: 'an unknown column in a filter',
    body: { query: '{ users(where: {nope: {_eq: 1}}) { id } }' },
    message: "field 'nope' not found in type: 'users_bool_exp'",
    path: '$.selectionSet.users.args.where.nope'
  },
  { title: 'a missing variable', body: { query: BY_ID }, message: 'expecting a value for non-nullable variable: "id"' },
  {
    title: 'a variable that is not declared',
    body: { query: BY_ID, variables: { id: 1, unused: 2 } },
    message: 'unexpected variables in variableValues: unused'
  },
  {
    title: 'a text for an integer',
    body: { query: BY_ID, variables: { id: 'x' } },
    code: 'data-exception',
    message: 'invalid input syntax for type integer: "x"'
  },
  {
    title: 'a text that is no uuid',
    body: { query: '{ users(where: {external_id: {_eq: "x"}}) { id } }' },
    code: 'data-exception',
    message: 'invalid input syntax for type uuid: "x"'
  },
  {
    title: 'a name that is in use',
    body: { query: 'mutation { insert_users_one(object: {name: "ada"}) { id } }' },
    code: 'constraint-violation',
    message: 'Uniqueness violation. duplicate key value violates unique constraint "user_name_key"',
    path: '$.selectionSet.insert_users_one.args.object'
  },
  {
    title: 'a subscription',
    body: { query: 'subscription { users { id } }' },
    code: 'unexpected-payload',
    message: 'subscriptions are not supported over HTTP, use websockets instead'
  },
  {
    title: 'several operations without a name',
    body: { query: 'query A { users { id } } query B { users { id } }' },
    message: 'exactly one operation has to be present in the document when operationName is not specified'
  },
  { title: 'a body without a query', body: { id: 1 }, code: 'parse-failed', message: "the key 'query' was not present" }
]

for (const { title, body, code = 'validation-failed', message, path } of FAULTS)
  t.test(`${title} is answered 200 with ${code}, once and without data`, async t => {
    const answer = await run(await standInsFor(t), body, { 'x-request-id': 'r1' })
    t.equal(answer.text, errorText(code, message, path))
    t.equal(answer.status, 200)
    t.equal(answer.headers['x-request-id'], undefined)
  })

t.test('the role reader has no mutations', async t => {
  const body = { query: 'mutation { delete_users_by_pk(id: 1) { id } }' }
  const answer = await run(await standInsFor(t), body, { 'x-hasura-role': 'reader' })
  t.equal(answer.text, errorText('validation-failed', 'no mutations exist'))
})

t.test('a failed insert adds none of its rows', async t => {
  const standIns = await standInsFor(t)
  const query = 'mutation { insert_users(objects: [{name: "margaret"}, {name: "ada"}]) { affected_rows } }'
  t.match((await run(standIns, { query })).text, 'user_name_key')
  t.equal(
    (await run(standIns, { query: '{ users_aggregate { aggregate { count } } }' })).text,
    '{"data":{"users_aggregate":{"aggregate":{"count":5}}}}'
  )
})
