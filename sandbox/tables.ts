// The two tables of the sandbox: columns, keys and how they refer to each other.

/** The names of the tables, which are also the names of the GraphQL types. */
export type TableName = 'users' | 'orders'

/** Column types, with Hasura's names of the scalars. */
export type ColumnType = 'Int' | 'String' | 'uuid' | 'timestamptz' | 'numeric' | 'bigint' | 'jsonb'

/** What one column holds. */
export interface Column {
  readonly type: ColumnType
  readonly isNullable?: boolean
}

/** A field for the rows of another table whose `to` equals this row's `from`. */
interface Relationship {
  readonly table: TableName
  readonly kind: 'array' | 'object'
  readonly from: string
  readonly to: string
}

/** One table; its primary key is `id`. */
interface Table {
  readonly columns: Readonly<Record<string, Column>>
  readonly relationships: Readonly<Record<string, Relationship>>
}

/** The tables by name. */
export const TABLES: Readonly<Record<TableName, Table>> = {
  users: {
    columns: {
      id: { type: 'Int' },
      name: { type: 'String' },
      external_id: { type: 'uuid' },
      created_at: { type: 'timestamptz' },
      settings: { type: 'jsonb', isNullable: true }
    },
    relationships: { orders: { table: 'orders', kind: 'array', from: 'id', to: 'user_id' } }
  },
  orders: {
    columns: {
      id: { type: 'Int' },
      user_id: { type: 'Int' },
      number: { type: 'bigint' },
      total: { type: 'numeric' },
      note: { type: 'String', isNullable: true },
      placed_at: { type: 'timestamptz' }
    },
    relationships: { user: { table: 'users', kind: 'object', from: 'user_id', to: 'id' } }
  }
}

/** The names of the tables, in the order of the schema. */
export const TABLE_NAMES: readonly TableName[] = ['users', 'orders']

/** Whether this is the name of a table. */
export function isTableName(name: string): name is TableName {
  return Object.hasOwn(TABLES, name)
}
