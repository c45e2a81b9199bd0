// A schema of many tables, as Hasura generates it, and stored operations that match it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, introspectionFromSchema } from 'graphql'

const COLUMNS = {
  id: 'bigint',
  owner_id: 'uuid',
  title: 'String',
  state: 'String',
  amount: 'numeric',
  position: 'Int',
  is_open: 'Boolean',
  details: 'jsonb',
  created_at: 'timestamptz',
  updated_at: 'timestamptz'
}
const NUMBERS = ['id', 'amount', 'position']
const SCALARS = ['bigint', 'jsonb', 'numeric', 'timestamptz', 'uuid']

/** The introspection result for a database with this many tables, as JSON. */
export function introspectionAnswer(tables: number): string {
  const names = Array.from({ length: tables }, (_, n) => `table_${n}`)
  const sdl = [
    'schema { query: query_root mutation: mutation_root subscription: subscription_root }',
    ...SCALARS.map(name => `scalar ${name}`),
    ...[...new Set(Object.values(COLUMNS))].map(comparison),
    'enum order_by { asc asc_nulls_first asc_nulls_last desc desc_nulls_first desc_nulls_last }',
    'enum cursor_ordering { ASC DESC }',
    ...names.flatMap(tableTypes),
    `type query_root { ${names.map(queryFields).join('\n')} }`,
    `type mutation_root { ${names.map(mutationFields).join('\n')} }`,
    `type subscription_root { ${names.map(name => `${queryFields(name)} ${streamField(name)}`).join('\n')} }`
  ]
  return JSON.stringify({ data: introspectionFromSchema(buildSchema(sdl.join('\n'))) })
}

/** Writes a few stored operations into a folder. */
export function writeOperations(folder: string): void {
  const operations = {
    'find-rows':
      'query FindRows($where: table_1_bool_exp!, $limit: Int) { table_1(where: $where, limit: $limit) { id title amount owner { id title } } }',
    'count-rows': 'query CountRows { table_2_aggregate { aggregate { count avg { amount } } } }',
    'add-row': 'mutation AddRow($row: table_3_insert_input!) { insert_table_3_one(object: $row) { id created_at } }'
  }
  for (const [name, text] of Object.entries(operations)) writeFileSync(join(folder, `${name}.graphql`), `${text}\n`)
}

const fieldsOf = (write: (type: string, column: string) => string, wanted = Object.keys(COLUMNS)) =>
  Object.entries(COLUMNS)
    .filter(([column]) => wanted.includes(column))
    .map(([column, type]) => `${column}: ${write(type, column)}`)
    .join(' ')

function comparison(type: string): string {
  const single = [
    '_eq',
    '_neq',
    '_gt',
    '_gte',
    '_lt',
    '_lte',
    ...(type === 'String' ? ['_like', '_nlike', '_ilike', '_similar', '_regex'] : [])
  ]
  return `input ${type}_comparison_exp { ${single.map(name => `${name}: ${type}`).join(' ')} _in: [${type}!] _nin: [${type}!] _is_null: Boolean }`
}

function tableTypes(name: string): string[] {
  const columns = Object.keys(COLUMNS).join(' ')
  const statistics = ['avg', 'stddev', 'sum', 'variance']
  return [
    `type ${name} { ${fieldsOf(type => `${type}!`)} owner: ${name} rows${listArguments(name)}: [${name}!]! }`,
    `type ${name}_aggregate { aggregate: ${name}_aggregate_fields nodes: [${name}!]! }`,
    `type ${name}_aggregate_fields { count(columns: [${name}_select_column!], distinct: Boolean): Int! max: ${name}_max_fields min: ${name}_min_fields
      ${statistics.map(each => `${each}: ${name}_${each}_fields`).join(' ')} }`,
    ...['max', 'min'].map(each => `type ${name}_${each}_fields { ${fieldsOf(type => type)} }`),
    ...statistics.map(each => `type ${name}_${each}_fields { ${fieldsOf(() => 'Float', NUMBERS)} }`),
    `input ${name}_bool_exp { _and: [${name}_bool_exp!] _or: [${name}_bool_exp!] _not: ${name}_bool_exp ${fieldsOf(type => `${type}_comparison_exp`)}
      owner: ${name}_bool_exp rows: ${name}_bool_exp }`,
    `input ${name}_order_by { ${fieldsOf(() => 'order_by')} owner: ${name}_order_by }`,
    ...['insert', 'set'].map(each => `input ${name}_${each}_input { ${fieldsOf(type => type)} }`),
    `input ${name}_inc_input { ${fieldsOf(type => type, NUMBERS)} }`,
    `input ${name}_pk_columns_input { id: bigint! }`,
    `input ${name}_on_conflict { constraint: ${name}_constraint! update_columns: [${name}_update_column!]! = [] where: ${name}_bool_exp }`,
    `input ${name}_updates { _inc: ${name}_inc_input _set: ${name}_set_input where: ${name}_bool_exp! }`,
    `input ${name}_stream_cursor_input { initial_value: ${name}_stream_cursor_value_input! ordering: cursor_ordering }`,
    `input ${name}_stream_cursor_value_input { ${fieldsOf(type => type)} }`,
    `enum ${name}_constraint { ${name}_pkey }`,
    ...['select', 'update'].map(each => `enum ${name}_${each}_column { ${columns} }`),
    `type ${name}_mutation_response { affected_rows: Int! returning: [${name}!]! }`
  ]
}

const listArguments = (name: string) =>
  `(distinct_on: [${name}_select_column!], limit: Int, offset: Int, order_by: [${name}_order_by!], where: ${name}_bool_exp)`

const queryFields = (name: string) =>
  `${name}${listArguments(name)}: [${name}!]! ${name}_aggregate${listArguments(name)}: ${name}_aggregate! ${name}_by_pk(id: bigint!): ${name}`

const streamField = (name: string) =>
  `${name}_stream(batch_size: Int!, cursor: [${name}_stream_cursor_input]!, where: ${name}_bool_exp): [${name}!]!`

const mutationFields = (
  name: string
) => `insert_${name}(objects: [${name}_insert_input!]!, on_conflict: ${name}_on_conflict): ${name}_mutation_response
  insert_${name}_one(object: ${name}_insert_input!, on_conflict: ${name}_on_conflict): ${name}
  update_${name}(_inc: ${name}_inc_input, _set: ${name}_set_input, where: ${name}_bool_exp!): ${name}_mutation_response
  update_${name}_by_pk(_inc: ${name}_inc_input, _set: ${name}_set_input, pk_columns: ${name}_pk_columns_input!): ${name}
  update_${name}_many(updates: [${name}_updates!]!): [${name}_mutation_response]
  delete_${name}(where: ${name}_bool_exp!): ${name}_mutation_response
  delete_${name}_by_pk(id: bigint!): ${name}`
