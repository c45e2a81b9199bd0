// Writes the sandbox's schema language from the tables, with the names that Hasura gives.
import { type Column, TABLE_NAMES, TABLES, type TableName } from './tables.ts'

const SCALARS = ['bigint', 'jsonb', 'numeric', 'timestamptz', 'uuid']
const COMPARED = ['Int', 'String', ...SCALARS]
const LIST_ARGS = (table: TableName) => `(where: ${table}_bool_exp, order_by: [${table}_order_by!], limit: Int, offset: Int)`

/** Returns the schema's text as a role sees it: without `mutation_root` and its inputs unless `withMutations`. */
export function writeSdl({ withMutations }: { readonly withMutations: boolean }): string {
  return [
    `schema { query: query_root ${withMutations ? 'mutation: mutation_root' : ''} subscription: subscription_root }`,
    ...SCALARS.map(name => `scalar ${name}`),
    ...COMPARED.map(comparisonInput),
    'enum order_by { asc asc_nulls_first asc_nulls_last desc desc_nulls_first desc_nulls_last }',
    ...TABLE_NAMES.flatMap(tableTypes),
    'enum cursor_ordering { ASC DESC }',
    `type query_root { ${TABLE_NAMES.map(queryFields).join('\n')} }`,
    `type subscription_root { ${TABLE_NAMES.flatMap(table => [queryFields(table), streamField(table)]).join('\n')} }`,
    ...(withMutations ? mutationTypes('users') : [])
  ].join('\n')
}

function comparisonInput(type: string): string {
  const ofStrings = type === 'String' ? '_like: String _nlike: String _ilike: String _nilike: String' : ''
  const single = ['_eq', '_neq', '_gt', '_gte', '_lt', '_lte'].map(operator => `${operator}: ${type}`).join(' ')
  return `input ${type}_comparison_exp { ${single} _in: [${type}!] _nin: [${type}!] _is_null: Boolean ${ofStrings} }`
}

function tableTypes(table: TableName): string[] {
  const relationships = Object.entries(TABLES[table].relationships)
  const fields = relationships.map(([name, { table: other, kind }]) =>
    kind === 'array' ? `${name}${LIST_ARGS(other)}: [${other}!]!` : `${name}: ${other}!`
  )
  const filters = relationships.map(([name, { table: other }]) => `${name}: ${other}_bool_exp`)
  return [
    `type ${table} { ${columns(table, typeOf)} ${fields.join(' ')} }`,
    `type ${table}_aggregate { aggregate: ${table}_aggregate_fields nodes: [${table}!]! }`,
    `type ${table}_aggregate_fields { count: Int! }`,
    `input ${table}_bool_exp { _and: [${table}_bool_exp!] _or: [${table}_bool_exp!] _not: ${table}_bool_exp
      ${columns(table, ({ type }) => `${type}_comparison_exp`)} ${filters.join(' ')} }`,
    `input ${table}_order_by { ${columns(table, () => 'order_by')} }`,
    `input ${table}_stream_cursor_value_input { ${columns(table, ({ type }) => type)} }`,
    `input ${table}_stream_cursor_input { initial_value: ${table}_stream_cursor_value_input! ordering: cursor_ordering }`
  ]
}

function queryFields(table: TableName): string {
  return `${table}${LIST_ARGS(table)}: [${table}!]!
    ${table}_by_pk(id: Int!): ${table}
    ${table}_aggregate${LIST_ARGS(table)}: ${table}_aggregate!`
}

function streamField(table: TableName): string {
  return `${table}_stream(batch_size: Int!, cursor: [${table}_stream_cursor_input]!, where: ${table}_bool_exp): [${table}!]!`
}

function mutationTypes(table: TableName): string[] {
  return [
    `input ${table}_insert_input { ${columns(table, ({ type }) => type)} }`,
    `input ${table}_set_input { ${columns(table, ({ type }) => type)} }`,
    `input ${table}_pk_columns_input { id: Int! }`,
    `type ${table}_mutation_response { affected_rows: Int! returning: [${table}!]! }`,
    `type mutation_root {
      insert_${table}_one(object: ${table}_insert_input!): ${table}
      insert_${table}(objects: [${table}_insert_input!]!): ${table}_mutation_response
      update_${table}_by_pk(pk_columns: ${table}_pk_columns_input!, _set: ${table}_set_input): ${table}
      delete_${table}_by_pk(id: Int!): ${table}
    }`
  ]
}

function columns(table: TableName, write: (column: Column) => string): string {
  return Object.entries(TABLES[table].columns)
    .map(([name, column]) => `${name}: ${write(column)}`)
    .join(' ')
}

function typeOf({ type, isNullable }: Column): string {
  return isNullable ? type : `${type}!`
}
