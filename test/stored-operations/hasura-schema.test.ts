// An invalid schema is reported as such, whatever is wrong with it.
import { introspectionFromSchema, printSchema } from 'graphql'
import t from 'tap'
import { INTROSPECTION_BODY, SchemaError, schemaFromIntrospection, schemaFromSdl } from '../../src/stored-operations/hasura-schema.ts'
import { SCHEMA } from './fixtures.ts'

t.test('text that is not a schema is refused', async t => {
  for (const text of [
    '',
    'type',
    'type T { a: Nope }',
    'scalar x',
    'type Query { a: Int }\ntype Query { b: Int }',
    'input Query { a: Int }',
    '{"data":{}}'
  ])
    t.throws(() => schemaFromSdl(text), SchemaError, text)
  t.throws(() => schemaFromSdl('type Query {\n  a: Nope\n}'), { message: /is invalid: Unknown type "Nope"/ })
  t.throws(() => schemaFromSdl('type Query {\n  a:\n}'), { message: /line 3: Syntax Error/ })
  t.throws(() => schemaFromSdl('type Query {\n  a: Int\n}\ntype Empty'), { message: /line 4: Type Empty must define/ })
})

t.test('a valid schema keeps no source locations, which would take half of its memory', async t => {
  t.equal(schemaFromSdl(printSchema(SCHEMA)).getType('User')?.astNode?.loc, undefined)
})

t.test('answers without a schema are refused', async t => {
  const refused = '{"errors":[{"extensions":{"path":"$"},"message":"introspection is turned off"}]}'
  t.throws(() => schemaFromIntrospection(refused), { name: 'SchemaError', message: /introspection is turned off/ })
  for (const text of [
    '',
    'null',
    '[]',
    '1',
    '{}',
    '{"data":null}',
    '{"data":{}}',
    '{"data":{"__schema":{}}}',
    '{"data":{"__schema":{"types":[],"queryType":{"name":"Q"}}}}'
  ])
    t.throws(() => schemaFromIntrospection(text), SchemaError, text)
})

t.test('both forms give the schema', async t => {
  t.ok(schemaFromSdl(printSchema(SCHEMA)).getType('user_bool_exp'))
  t.ok(schemaFromIntrospection(JSON.stringify({ data: introspectionFromSchema(SCHEMA) })).getType('user_bool_exp'))
  t.notMatch(INTROSPECTION_BODY, /oneOf|specifiedBy|isRepeatable/i, 'older versions of Hasura know nothing of these')
})
