// A client program with the types that a generator made from the document (`api.ts`, written by the test). Its errors must not compile.
import type { operations } from './api.ts'

type Json<T> = T extends { content: { 'application/json': infer J } } ? J : never
type Query<Name extends keyof operations> = operations[Name] extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never
type Body<Name extends keyof operations> = operations[Name] extends { requestBody?: infer B } ? Json<NonNullable<B>> : never
type Answer<Name extends keyof operations> = Json<operations[Name]['responses'][200]>

export const page: Query<'FetchSampleData'> = { limit: 3 }
// @ts-expect-error a number is due
export const badPage: Query<'FetchSampleData'> = { limit: '3' }

// In a query string an object is JSON, so the generator types it as text; in a body it has its own type.
export const search: Query<'FindUsers'> = { ids: [1, 2], limit: 5, where: JSON.stringify({ name: { _eq: 'ada' } }) }
// @ts-expect-error a list of numbers is required
export const badSearch: Query<'FindUsers'> = { ids: ['1'] }

export const deep: Body<'FindUsersByPost'> = { where: { _and: [{ name: { _ilike: '%a%' }, orders: { total: { _gt: 10 } } }] } }
// @ts-expect-error there is no such column
export const badDeep: Body<'FindUsersByPost'> = { where: { _and: [{ nope: {} }] } }

export const byBody: Body<'FindUsersByPost'> = { order_by: [{ id: 'desc_nulls_last' }], where: null }
// @ts-expect-error there is no such order
export const badByBody: Body<'FindUsersByPost'> = { order_by: [{ id: 'up' }] }

export const rename: Body<'RenameUser'> = { id: 1, name: 'ada' }
// @ts-expect-error the name is missing
export const badRename: Body<'RenameUser'> = { id: 1 }

export function read(answer: Answer<'FetchSampleData'>, renamed: Answer<'RenameUser'>): (string | null)[] {
  if (!answer.data) return (answer.errors ?? []).map(error => error.message)
  const [user] = answer.data.users
  const total: number | undefined = user?.orders[0]?.total
  const note: string | null | undefined = user?.orders[0]?.note
  // @ts-expect-error the operation does not select it
  const settings = user?.settings
  // @ts-expect-error the user is null if the id is unknown
  const name: string | undefined = renamed.data?.user.name
  return [user?.name ?? null, String(total), note ?? null, settings, name ?? renamed.data?.user?.name ?? null]
}
