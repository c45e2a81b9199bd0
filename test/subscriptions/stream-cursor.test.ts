// Streaming subscriptions: distinguished from live queries, and resumed after a row.
import { parse, print } from 'graphql'
import t from 'tap'
import { planStream } from '../../src/subscriptions/stream-cursor.ts'

const request = (query: string, variables?: string, operationName?: string) => ({ query, variables, operationName, role: 'reader' })
/** The request that resumes after the last row of an answer. */
function behind(query: string, answer: string, variables?: string, operationName?: string) {
  const plan = planStream(request(query, variables, operationName))
  const row = plan?.read(answer).lastRow
  return row && plan.requestBehind(row)
}
const normal = (query: string) => print(parse(query))
const answer = (row: string) => `{"data":{"users_stream":[{"id":1},${row}]}}`

for (const query of [
  'subscription { users { id } }',
  'subscription { users { orders_stream(cursor: {initial_value: {id: 1}}) { id } } }',
  'query { a: users_stream(cursor: {initial_value: {id: 1}}) { id } } subscription S { users { id } }'
])
  t.test(`a live query: ${query}`, async t =>
    t.equal(planStream(request(query, undefined, query.includes(' S ') ? 'S' : undefined)), undefined)
  )

t.test('the cursor may be in a fragment on the root', async t => {
  const fragment = 'fragment F on subscription_root { users_stream(batch_size: 1, cursor: {initial_value: {id: 0}}) { id } }'
  const next = behind(`subscription { ...F } ${fragment}`, answer('{"id":2}'))
  t.equal(
    next?.query,
    normal(`subscription { ...F } ${fragment.replace('{id: 0}', '{id: 2}').replace('{initial', '[{initial').replace('}})', '}}])')}`)
  )
})

for (const [name, cursor, row, expected] of [
  ['a number keeps its digits', '{initial_value: {id: 0}}', '{"id":9007199254740993}', '[{initial_value: {id: 9007199254740993}}]'],
  ['a number keeps its form', '[{initial_value: {id: 0}, ordering: DESC}]', '{"id":1.50}', '[{initial_value: {id: 1.50}, ordering: DESC}]'],
  [
    'a text is quoted',
    '{initial_value: {id: ""}, ordering: ASC}',
    '{"id":"a\\"\\u2028\\\\b"}',
    '[{initial_value: {id: "a\\"\u2028\\\\b"}, ordering: ASC}]'
  ],
  [
    'two columns',
    '[{initial_value: {id: 0}}, {initial_value: {at: "x"}}]',
    '{"id":2,"at":"y"}',
    '[{initial_value: {id: 2}}, {initial_value: {at: "y"}}]'
  ]
] as const)
  t.test(`a cursor is replaced in the document: ${name}`, async t => {
    const query = (text: string) => `subscription { users_stream(batch_size: 2, cursor: ${text}) { id at } }`
    t.same(behind(query(cursor), answer(row)), request(normal(query(expected))))
  })

t.test('a cursor in variables is written into the document, and its variables are removed', async t => {
  const fields = '(batch_size: $size, where: {name: {_eq: $name}}'
  const query = `subscription S($size: Int!, $cursor: [c]!, $name: String) { users_stream${fields}, cursor: $cursor) { id } }`
  const next = behind(query, answer('{"id":2}'), '{"size":1.0,"cursor":[{"initial_value":{"id":1},"ordering":"ASC"}],"name":"a"}', 'S')
  const expected = `subscription S($size: Int!, $name: String) { users_stream${fields}, cursor: [{initial_value: {id: 2}, ordering: ASC}]) { id } }`
  t.same(next, request(normal(expected), '{"size":1.0,"name":"a"}', 'S'))
})

t.test('a cursor variable that is also used elsewhere stays', async t => {
  const query = (start: string) =>
    `subscription ($id: Int!) { users_stream(batch_size: 1, where: {id: {_neq: $id}}, cursor: ${start}) { id } }`
  const next = behind(query('{initial_value: {id: $id}}'), answer('{"id":2}'), '{"id":1}')
  t.same(next, request(normal(query('[{initial_value: {id: 2}}]')), '{"id":1}'))
})

t.test('the columns may be selected by fragments', async t => {
  const query =
    'subscription { users_stream(batch_size: 1, cursor: {initial_value: {id: 0}}) { ...F ... on users { name } } } fragment F on users { id }'
  t.match(behind(query, answer('{"id":2}'))?.query, /initial_value: \{ ?id: 2 ?\}/)
})

t.test("the root field's own alias is looked up", async t => {
  const query = 'subscription { news: users_stream(batch_size: 1, cursor: {initial_value: {id: 0}}) { id } }'
  t.match(behind(query, '{"data":{"news":[{"id":2}]}}')?.query, /id: 2/)
})

for (const selection of [
  'name',
  'number: id',
  'id @include(if: $yes)',
  '... @include(if: $yes) { id }',
  '...F @skip(if: $no)',
  'orders { id }'
])
  t.test(`cannot be resumed if the selection is ${selection}`, async t => {
    const fragment = selection.includes('...F') ? 'fragment F on users { id }' : ''
    const query = `subscription { users_stream(batch_size: 1, cursor: {initial_value: {id: 0}}) { ${selection} } } ${fragment}`
    t.ok(planStream(request(query)))
    t.equal(behind(query, answer('{"id":2}')), undefined)
  })

for (const value of ['null', '{"a":1}', '[1]'])
  t.test(`cannot be resumed after ${value}`, async t => {
    t.equal(behind('subscription { users_stream(cursor: {initial_value: {id: 0}}) { id } }', answer(`{"id":${value}}`)), undefined)
  })

t.test('answers without rows have no last row; only an empty batch is ignored', async t => {
  const plan = planStream(request('subscription { users_stream(cursor: {initial_value: {id: 0}}) { id } }'))
  t.same(plan?.read('{"data":{"users_stream":[]}}'), { lastRow: undefined, isEmpty: true })
  t.same(plan?.read('{"data":{"users_stream":[]},"errors":[]}'), { lastRow: undefined, isEmpty: false })
  t.same(plan?.read('{"errors":[{"message":"x"}]}'), { lastRow: undefined, isEmpty: false })
  t.same(plan?.read('null'), { lastRow: undefined, isEmpty: false })
  t.same(plan?.read('{"data":{"users_stream":[{"id":1,"id":2}]}}'), { lastRow: {}, isEmpty: false }, 'which of the two counts?')
})

t.test('a row that is nested too deeply does not end the process', async t => {
  const plan = planStream(request('subscription { users_stream(cursor: {initial_value: {id: 0}}) { id } }'))
  const depth = 200_000
  t.doesNotThrow(() => plan?.read(`{"data":{"users_stream":[{"id":1.0,"json":${'['.repeat(depth)}${']'.repeat(depth)}}]}}`))
})
