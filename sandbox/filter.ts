// Selects the rows of a query: `where`, `order_by`, `limit` and `offset` over the rows in memory.
import type { Row, Store } from './data.ts'
import { TABLES, type TableName } from './tables.ts'

/** The arguments of a list field, after GraphQL has checked their types. */
export interface ListArguments {
  readonly where?: BoolExp | null
  readonly order_by?: readonly Readonly<Record<string, string | null>>[] | null
  readonly limit?: number | null
  readonly offset?: number | null
}

type BoolExp = Readonly<Record<string, unknown>>

/** Returns the rows of `table` that the arguments ask for, in their order. `rows` narrows the selection; default: the whole table. */
export function selectRows(store: Store, table: TableName, args: ListArguments, rows: readonly Row[] = store[table]): Row[] {
  const { where, order_by: orderBy, limit, offset } = args
  const found = rows.filter(row => where == null || matches(store, table, row, where))
  for (const [column, direction] of (orderBy ?? []).flatMap(order => Object.entries(order)).reverse())
    if (direction !== null) found.sort((a, b) => compareRows(table, column, direction, a, b))
  const start = offset ?? 0
  return found.slice(start, limit == null ? undefined : start + limit)
}

/** Returns the rows that a relationship leads to. */
export function relatedRows(store: Store, table: TableName, field: string, row: Row): Row[] {
  const relationship = TABLES[table].relationships[field]
  if (relationship === undefined) return []
  return store[relationship.table].filter(other => other[relationship.to] === row[relationship.from])
}

function matches(store: Store, table: TableName, row: Row, where: BoolExp): boolean {
  return Object.entries(where).every(([key, condition]) => {
    if (condition == null) return true
    if (key === '_and') return (condition as BoolExp[]).every(part => matches(store, table, row, part))
    if (key === '_or') return (condition as BoolExp[]).some(part => matches(store, table, row, part))
    if (key === '_not') return !matches(store, table, row, condition as BoolExp)
    const relationship = TABLES[table].relationships[key]
    if (relationship !== undefined)
      return relatedRows(store, table, key, row).some(other => matches(store, relationship.table, other, condition as BoolExp))
    return Object.entries(condition as BoolExp).every(([operator, operand]) => holds(table, key, operator, row[key], operand))
  })
}

function holds(table: TableName, column: string, operator: string, value: unknown, operand: unknown): boolean {
  if (operand == null) return true
  if (operator === '_is_null') return (value === null) === operand
  // In SQL a comparison with NULL is never true, not even its negation.
  if (value === null) return false
  const equals = (other: unknown) => comparable(table, column, value) === comparable(table, column, other)
  const order = () => compareValues(table, column, value, operand)
  switch (operator) {
    case '_eq':
      return equals(operand)
    case '_neq':
      return !equals(operand)
    case '_in':
      return (operand as unknown[]).some(equals)
    case '_nin':
      return !(operand as unknown[]).some(equals)
    case '_gt':
      return order() > 0
    case '_gte':
      return order() >= 0
    case '_lt':
      return order() < 0
    case '_lte':
      return order() <= 0
    default:
      return operator.startsWith('_n') !== pattern(String(operand), operator.endsWith('ilike')).test(String(value))
  }
}

function pattern(like: string, isCaseBlind: boolean): RegExp {
  const source = like
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.')
  return new RegExp(`^${source}$`, isCaseBlind ? 'isu' : 'su')
}

function compareRows(table: TableName, column: string, direction: string, a: Row, b: Row): number {
  const [left, right] = [a[column], b[column]]
  const isDescending = direction.startsWith('desc')
  // As in Postgres, NULL counts as the largest value unless the direction says where it goes.
  const nullsFirst = direction.endsWith('nulls_first') || (isDescending && !direction.endsWith('nulls_last'))
  if (left === null || right === null) return left === right ? 0 : (left === null) === nullsFirst ? -1 : 1
  return isDescending ? compareValues(table, column, right, left) : compareValues(table, column, left, right)
}

/** Below 0 where `a` comes before `b` in a column of the table, above 0 where it comes after. */
export function compareValues(table: TableName, column: string, a: unknown, b: unknown): number {
  const [left, right] = [comparable(table, column, a), comparable(table, column, b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function comparable(table: TableName, column: string, value: unknown): number | bigint | string {
  const type = TABLES[table].columns[column]?.type
  if (type === 'numeric') return Number(value)
  if (type === 'timestamptz') return Date.parse(String(value))
  return typeof value === 'number' || typeof value === 'bigint' ? value : typeof value === 'string' ? value : JSON.stringify(value)
}
