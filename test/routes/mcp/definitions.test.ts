// A self-contained schema: references end, and a Hasura schema with many tables does not make it large.
import { buildSchema } from 'graphql'
import t from 'tap'
import { DEFINITIONS_MAX } from '../../../routes/mcp/definitions.ts'
import { toolOf } from '../../../routes/mcp/tool.ts'
import { createCatalog } from '../../../src/stored-operations/type-operations.ts'
import { catalogOf } from '../../stored-operations/fixtures.ts'

/** Tables that are each related to the next ones, with Hasura's filters. */
const manyTables = (count: number) =>
  buildSchema(`
    input Int_comparison_exp { _eq: Int }
    type Query { t0(where: t0_bool_exp): Int }
    ${Array.from({ length: count }, (_, n) => {
      const related = [1, 2, 3].map(step => `r${step}: t${(n + step) % count}_bool_exp`).join(' ')
      return `input t${n}_bool_exp { _and: [t${n}_bool_exp!] id: Int_comparison_exp ${related} }`
    }).join('\n')}
  `)

t.test('a filter that refers to a thousand tables is described with only its nearest ones', async t => {
  const { operations } = catalogOf(t, { 'find.graphql': 'query Find($where: t0_bool_exp) { t0(where: $where) }' })
  const catalog = createCatalog(operations, manyTables(1_000))
  const [operation] = catalog.operations
  if (operation === undefined) throw new Error('no operation')
  const { inputSchema } = toolOf(operation, catalog)
  const text = JSON.stringify(inputSchema)
  const definitions = inputSchema.$defs as Record<string, object>
  t.equal(Object.keys(definitions).length, DEFINITIONS_MAX)
  t.strictSame(Object.keys(definitions).slice(0, 6), [
    't0_bool_exp',
    'Int_comparison_exp',
    't1_bool_exp',
    't2_bool_exp',
    't3_bool_exp',
    't4_bool_exp'
  ])
  for (const [, name = ''] of text.matchAll(/"#\/\$defs\/(\w+)"/g)) t.ok(name in definitions, name)
  t.match(text, 'A value of the GraphQL type')
  t.ok(text.length < 30_000, `${text.length} characters`)
})

t.test('a tool is built once for each schema', async t => {
  const { operations } = catalogOf(t, { 'find.graphql': 'query Find { t0 }' })
  const [operation] = operations
  if (operation === undefined) throw new Error('no operation')
  const untyped = createCatalog(operations)
  const typed = createCatalog(operations, manyTables(3))
  t.equal(toolOf(operation, untyped), toolOf(operation, createCatalog(operations)))
  t.notOk('outputSchema' in toolOf(operation, untyped))
  t.ok('outputSchema' in toolOf(operation, typed))
})
