// The stored operations, before and after they are typed by a schema.
import t from 'tap'
import { typeOperations } from '../../src/stored-operations/type-operations.ts'
import { catalogOf, type Files, SCHEMA } from './fixtures.ts'

/** Returns the names and reasons of mismatches. */
async function misfitsOf({ operations }: ReturnType<typeof catalogOf>) {
  const { misfits } = await typeOperations(operations, SCHEMA)
  return [...misfits].map(([{ name }, problems]) => `${name} ${problems.map(({ line, reason }) => `${line}: ${reason}`).join('; ')}`)
}

t.test('each mismatch is reported with its own lines, whatever other operations there are', async t => {
  const good = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`good${n}.graphql`, `query Good${n} { me { id } }`]))
  const cases: [string, string][] = [
    ['query Bad {\n  me { zzzzz }\n}', '2: Cannot query field "zzzzz" on type "User".'],
    [
      'query Bad($a: [Int!]) { users(n: $a) { id } user(id: $a) { id } }',
      '1: Variable "$a" of type "[Int!]" used in position expecting type "ID".'
    ],
    ['query Bad($a: zzzzz) { user(id: $a) { id } }', '1: Unknown type "zzzzz".'],
    ['query Bad { user(id: { a: 1 }) { id } }', '1: ID cannot represent a non-string and non-integer value: { a: 1 }'],
    ['query Bad { me }', '1: Field "me" of type "User" must have a selection of subfields. Did you mean "me { ... }"?'],
    ['query Bad { me { id { x } } }', '1: Field "id" must not have a selection since type "ID!" has no subfields.'],
    ['mutation Bad { add { id } }', '1: Argument "Mutation.add(user:)" of type "user_insert!" is required, but it was not provided.'],
    [
      'query Bad { me { ... on Team { title } } }',
      '1: Fragment cannot be spread here as objects of type "User" can never be of type "Team".'
    ],
    ['query Bad @zzzzz { me { id } }', '1: Unknown directive "@zzzzz".'],
    ['query Bad { user(x: 1) { id } }', '1: Unknown argument "x" on field "Query.user".'],
    [
      'query Bad { me { a: id a: name } }',
      '1: Fields "a" conflict because "id" and "name" are different fields. Use different aliases on the fields to fetch both if this was intentional.'
    ],
    ['query Bad { me { ...F } }', '2: Cannot query field "zzzzz" on type "User".']
  ]
  for (const [text, reason] of cases) {
    const files: Files = {
      ...good,
      'good60-bad.graphql': text,
      ...(text.includes('...F') && { fragments: { 'f.graphql': 'fragment F on User {\n  zzzzz\n}' } })
    }
    t.strictSame(await misfitsOf(catalogOf(t, files)), [`good60-bad ${reason}`])
  }
})

t.test('fragments with the same name in two files are not confused', async t => {
  const bad = 'query Bad { me { ...F } }\nfragment F on Team { title }'
  const good = 'query Good { me { ...F } }\nfragment F on User { id }'
  for (const [first, second] of [
    [bad, good],
    [good, bad]
  ] as const) {
    t.match(await misfitsOf(catalogOf(t, { 'a.graphql': first, 'b.graphql': second })), [/^[ab] 1: Fragment "F" cannot/])
  }
})

t.test('a declared variable may be unused, as in Hasura', async t => {
  t.strictSame(await misfitsOf(catalogOf(t, { 'a.graphql': 'query A($unused: Int) { me { id } }' })), [])
})

t.test('variables are typed by the schema if there is one', async t => {
  const catalog = catalogOf(t, { 'a.graphql': 'query A($where: user_bool_exp) { users(where: $where) { id } }' })
  const [operation] = catalog.operations
  if (!operation) throw new Error('no operation')
  t.ok(catalog.variablesOf(operation).fromBody({ where: 1 }, new Map([['where', '1']])))
  const typed = await typeOperations(catalog.operations, SCHEMA)
  t.throws(() => typed.variablesOf(operation).fromBody({ where: 1 }, new Map([['where', '1']])), { code: 'INVALID_REQUEST' })
})

t.test('validation can be aborted', async t => {
  const files = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`op${n}.graphql`, `query Op${n} { zzzzz }`]))
  await t.rejects(typeOperations(catalogOf(t, files).operations, SCHEMA, AbortSignal.abort()), { name: 'AbortError' })
})
