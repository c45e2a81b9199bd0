// A client program on openapi-fetch, with types that openapi-typescript made from the document. It runs, and its errors must not compile.
import createClient, { type Client } from 'openapi-fetch'
import type { components, paths } from './api.ts'

type Users = NonNullable<components['schemas']['FetchSampleDataAnswer']['data']>['users']

/** Returns the answers of three operations. */
export async function run(baseUrl: string): Promise<unknown[]> {
  const client = createClient<paths>({ baseUrl })
  const page = await client.GET('/operations/fetch-sample-data', { params: { query: { limit: 1 } } })
  const users: Users | undefined = page.data?.data?.users
  const found = await client.GET('/operations/find-users', {
    params: { query: { ids: [1, 2], where: JSON.stringify({ id: { _gt: 1 } }) } }
  })
  const posted = await client.POST('/operations/find-users', { body: { where: { id: { _eq: 2 } } } })
  return [users?.map(({ id }) => id), found.data?.data?.users.map(({ id }) => id), posted.data?.data?.users.map(({ id }) => id)]
}

/** Contains calls that must not compile. */
export async function callWrongly(client: Client<paths>): Promise<void> {
  // @ts-expect-error there is no such order
  await client.POST('/operations/find-users', { body: { order_by: [{ id: 'up' }] } })
  // @ts-expect-error a number is due
  await client.GET('/operations/fetch-sample-data', { params: { query: { limit: '1' } } })
  // @ts-expect-error a mutation runs only with POST
  await client.GET('/operations/rename-user')
}
