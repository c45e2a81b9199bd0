// What the mutations do to the users in memory, with the constraints that Postgres would enforce.
import { randomUUID } from 'node:crypto'
import type { Row, Store } from './data.ts'
import { HasuraError } from './hasura-error.ts'

type Values = Readonly<Record<string, unknown>>
type Resolver = (store: Store, args: Values) => unknown

/** The fields of `mutation_root`. Each throws `constraint-violation` where Postgres would refuse. */
export const mutationResolvers: Readonly<Record<string, Resolver>> = {
  insert_users_one: (store, args) => insert(store, args.object as Values, '$.selectionSet.insert_users_one.args.object'),
  insert_users: (store, args) => {
    const path = '$.selectionSet.insert_users.args.objects'
    const returning = (args.objects as Values[]).map(values => insert(store, values, path))
    return { affected_rows: returning.length, returning }
  },
  update_users_by_pk: (store, args) => {
    const row = byKey(store, (args.pk_columns as Values).id)
    return row && update(store, row, (args._set ?? {}) as Values)
  },
  delete_users_by_pk: (store, args) => {
    const row = byKey(store, args.id)
    return row && remove(store, row)
  }
}

function insert(store: Store, values: Values, path: string): Row {
  const row = {
    id: Math.max(0, ...store.users.map(({ id }) => Number(id))) + 1,
    external_id: randomUUID(),
    created_at: new Date().toISOString().replace('Z', '+00:00'),
    settings: null,
    ...values
  }
  checkUser(store.users, row, path)
  store.users = [...store.users, row]
  return row
}

function update(store: Store, row: Row, values: Values): Row {
  const changed = { ...row, ...values }
  const others = store.users.filter(other => other !== row)
  checkUser(others, changed, '$.selectionSet.update_users_by_pk.args._set')
  store.users = store.users.map(other => (other === row ? changed : other))
  return changed
}

function remove(store: Store, row: Row): Row {
  if (store.orders.some(order => order.user_id === row.id))
    throw violation(
      'Foreign key violation. update or delete on table "users" violates foreign key constraint "orders_user_id_fkey" on table "orders"',
      '$.selectionSet.delete_users_by_pk'
    )
  store.users = store.users.filter(other => other !== row)
  return row
}

function checkUser(others: readonly Row[], row: Values, path: string): void {
  for (const column of ['id', 'name', 'external_id', 'created_at'])
    if (row[column] == null)
      throw violation(`Not-NULL violation. null value in column "${column}" of relation "users" violates not-null constraint`, path)
  for (const [column, constraint] of [
    ['id', 'users_pkey'],
    ['name', 'user_name_key']
  ] as const)
    if (others.some(other => other[column] === row[column]))
      throw violation(`Uniqueness violation. duplicate key value violates unique constraint "${constraint}"`, path)
}

function byKey(store: Store, id: unknown): Row | null {
  return store.users.find(row => row.id === id) ?? null
}

function violation(message: string, path: string): HasuraError {
  return new HasuraError('constraint-violation', message, path)
}
