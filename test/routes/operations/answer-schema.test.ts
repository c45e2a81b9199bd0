// The type of an answer, from the selection and the schema.
import t, { type Test } from 'tap'
import { answerSchema } from '../../../routes/operations/answer-schema.ts'
import { Components } from '../../../routes/operations/components.ts'
import { catalogOf, SCHEMA } from '../../stored-operations/fixtures.ts'

type Schema = { properties: Record<string, Schema>; required?: string[]; anyOf: Schema[]; items: Schema; type: unknown; enum: string[] }

function typeOf(t: Test, document: string): Schema {
  const [operation] = catalogOf(t, { 'a.graphql': document }).operations
  return (operation && answerSchema(operation, SCHEMA, new Components())) as unknown as Schema
}

t.test('null, lists and scalars follow the schema', async t => {
  const { properties, required } = typeOf(t, 'query A { me { id name balance big at ref born settings kind tags friends { id } } }')
  t.strictSame(required, ['me'])
  t.strictSame(properties.me?.type, ['object', 'null'])
  t.match(properties.me?.properties, {
    id: { type: 'string' },
    name: { type: ['string', 'null'] },
    balance: { type: 'number' },
    big: { type: ['integer', 'null'], format: 'int64' },
    at: { type: 'string', format: 'date-time' },
    ref: { type: 'string', format: 'uuid' },
    born: { type: ['string', 'null'], format: 'date' },
    kind: { anyOf: [{ $ref: '#/components/schemas/order_by' }, { type: 'null' }] },
    tags: { type: ['array', 'null'], items: { type: ['string', 'null'] } },
    friends: { type: 'array', items: { type: 'object', properties: { id: { type: 'string' } } } }
  })
  t.notOk(properties.me?.properties.settings?.type, 'jsonb is anything')
})

t.test('aliases name the members, and repeated fields are merged', async t => {
  const { properties } = typeOf(
    t,
    'query A { x: me { key: id } x: me { name ...F } } fragment F on User { friends { id } friends { name } }'
  )
  t.strictSame(Object.keys(properties), ['x'])
  t.strictSame(Object.keys(properties.x?.properties ?? {}), ['key', 'name', 'friends'])
  t.strictSame(properties.x?.properties.friends?.items.required, ['id', 'name'])
})

t.test('a member that a directive may skip is not required', async t => {
  const { properties } = typeOf(
    t,
    `query A($b: Boolean!) { me {
      id @include(if: $b)
      name @skip(if: $b)
      name
      ...F @include(if: $b)
      ... @skip(if: true) { big }
      ... @include(if: true) { ref }
      kind @skip(if: true)
      friends { id }
      friends @include(if: $b) { name }
    } } fragment F on User { balance }`
  )
  const user = properties.me
  t.strictSame(Object.keys(user?.properties ?? {}).sort(), ['balance', 'friends', 'id', 'name', 'ref'])
  t.strictSame(user?.required, ['name', 'ref', 'friends'])
  t.strictSame(user?.properties.friends?.items.required, ['id'], 'a place that may be left out requires nothing')
})

t.test('a union or interface is a choice if the selections on its types differ', async t => {
  const { properties } = typeOf(
    t,
    'query A { owner { __typename ... on User { name } ... on Node { id } ... on Team { title } } owners { __typename } node { id __typename } }'
  )
  t.strictSame(
    properties.owner?.anyOf.slice(0, 2).map(one => [Object.keys(one.properties), one.properties.__typename?.enum]),
    [
      [['__typename', 'name', 'id'], ['User']],
      [['__typename', 'id', 'title'], ['Team']]
    ]
  )
  t.strictSame(properties.owner?.anyOf[2], { type: 'null' })
  t.strictSame(properties.owners?.items.properties.__typename?.enum, ['User', 'Team'], 'the same of both is no choice')
  t.strictSame(properties.node?.type, ['object', 'null'])
})

t.test('a mutation uses the mutation type, and a deprecated field is marked', async t => {
  const { properties } = typeOf(t, 'mutation A { add(user: { name: "a" }) { nick } }')
  t.match(properties.add?.properties, { nick: { type: ['string', 'null'], deprecated: true } })
})

t.test('introspection is typed too', async t => {
  const { properties } = typeOf(t, 'query A { __typename __type(name: "User") { name } }')
  t.match(properties, { __typename: { enum: ['Query'] }, __type: { type: ['object', 'null'] } })
})
