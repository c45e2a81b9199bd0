// The rows that the sandbox starts with, kept in memory only.
import type { TableName } from './tables.ts'

/** One row, column by column. `bigint` columns hold a bigint, `numeric` ones their text, so that no digit is lost. */
export type Row = Readonly<Record<string, unknown>>

/** All rows of a running stand-in. Rows are replaced, never changed, so that a copy of the lists is a snapshot. */
export type Store = Record<TableName, Row[]>

/** Returns a fresh copy of the initial data: five users and eight orders, one of which has a number beyond 2^53. */
export function createStore(): Store {
  return {
    users: [
      user(1, 'ada', { theme: 'dark' }),
      user(2, 'grace', null),
      user(3, 'linus', { theme: 'light', lines: 80 }),
      user(4, 'barbara', null),
      user(5, 'edsger', { goto: false })
    ],
    orders: [
      order(1, 1, 1001n, '19.90', null),
      order(2, 1, 9007199254740993n, '120.00', 'beyond 2^53'),
      order(3, 2, 1003n, '7.25', null),
      order(4, 3, 1004n, '0.10', 'a sample'),
      order(5, 3, 1005n, '64.00', null),
      order(6, 3, 1006n, '12345678901234567890.12', 'beyond a double'),
      order(7, 4, 9223372036854775807n, '3.50', null),
      order(8, 5, 1008n, '42.00', null)
    ]
  }
}

function user(id: number, name: string, settings: unknown): Row {
  return { id, name, external_id: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`, created_at: day(id), settings }
}

function order(id: number, userId: number, number: bigint, total: string, note: string | null): Row {
  return { id, user_id: userId, number, total, note, placed_at: day(id + 10) }
}

function day(number: number): string {
  return `2026-01-${String(number).padStart(2, '0')}T09:30:00+00:00`
}
