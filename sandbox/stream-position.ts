// The position of a streaming subscription: the rows after its cursor, batch by batch.
import type { Row, Store } from './data.ts'
import { compareValues, type ListArguments, selectRows } from './filter.ts'
import type { TableName } from './tables.ts'

/** The arguments of a `<table>_stream` field, after GraphQL has checked their types; a cursor is of one column. */
export interface StreamArguments {
  readonly batch_size?: number
  readonly cursor?: readonly { readonly initial_value: Row; readonly ordering?: 'ASC' | 'DESC' }[]
}

/** One subscription's position among the rows. */
export class StreamPosition {
  #last: Row | undefined
  /** The number of rows in the latest batch. */
  batch = 0
  /** Whether the subscription is a streaming one. */
  isUsed = false

  /** The next batch, strictly after the previous one. */
  next(store: Store, table: TableName, { where, batch_size: size, cursor: [cursor] = [] }: ListArguments & StreamArguments): Row[] {
    if (cursor === undefined) return []
    const [column = 'id'] = Object.keys(cursor.initial_value)
    const start = (this.#last ?? cursor.initial_value)[column]
    const sign = cursor.ordering === 'DESC' ? -1 : 1
    const order_by = [{ [column]: sign > 0 ? 'asc' : 'desc' }]
    const found = selectRows(store, table, { order_by, ...(where && { where }) })
    const rows = found.filter(row => sign * compareValues(table, column, row[column], start) > 0).slice(0, size)
    this.#last = rows.at(-1) ?? this.#last
    this.batch = rows.length
    this.isUsed = true
    return rows
  }
}
