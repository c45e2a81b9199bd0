// The types of variables in the document: recursive types end, and names are unique.
import { parseType } from 'graphql'
import t from 'tap'
import { Components } from '../../../routes/operations/components.ts'
import { inputSchema } from '../../../routes/operations/input-schema.ts'
import { inputTypeOf } from '../../../src/stored-operations/input-type.ts'
import { SCHEMA } from '../../stored-operations/fixtures.ts'

const schemaOf = (type: string, components = new Components(), schema: typeof SCHEMA | null = SCHEMA) =>
  inputSchema(inputTypeOf(parseType(type), schema ?? undefined), components)

t.test('a recursive type is a component that refers to itself', async t => {
  const components = new Components()
  t.strictSame(schemaOf('user_bool_exp!', components), { $ref: '#/components/schemas/user_bool_exp' })
  t.match(components.schemas.user_bool_exp, {
    type: 'object',
    additionalProperties: false,
    properties: {
      _and: { type: ['array', 'null'], items: { $ref: '#/components/schemas/user_bool_exp' } },
      _not: { anyOf: [{ $ref: '#/components/schemas/user_bool_exp' }, { type: 'null' }] },
      id: { anyOf: [{ $ref: '#/components/schemas/Int_comparison_exp' }, { type: 'null' }] }
    }
  })
  t.strictSame(Object.keys(components.schemas).sort(), ['Int_comparison_exp', 'user_bool_exp'])
})

t.test('null is allowed unless the type forbids it', async t => {
  t.strictSame(schemaOf('Int'), { type: ['integer', 'null'], format: 'int32' })
  t.strictSame(schemaOf('[String!]!'), { type: 'array', items: { type: 'string' } })
  t.match(schemaOf('numeric'), { type: ['number', 'string', 'null'] })
  t.match(schemaOf('order_by'), { anyOf: [{ $ref: '#/components/schemas/order_by' }, { type: 'null' }] })
})

t.test('a field with a default is not required; exactly one member of a oneOf is', async t => {
  const components = new Components()
  schemaOf('user_insert', components)
  schemaOf('one_of', components)
  t.match(components.schemas.user_insert, { required: ['name'] })
  t.match(components.schemas.one_of, { minProperties: 1, maxProperties: 1 })
})

t.test('a type whose name is taken gets another', async t => {
  const components = new Components(['order_by'])
  t.strictSame(schemaOf('order_by!', components), { $ref: '#/components/schemas/order_by2' })
  t.strictSame(Object.keys(components.schemas), ['order_by2'])
})

t.test('an unknown type allows any value', async t => {
  t.strictSame(schemaOf('nope', new Components(), null), {})
  t.strictSame(schemaOf('uuid!', new Components(), null), {}, 'the name alone promises nothing')
  t.strictSame(schemaOf('mystery!'), {})
})
