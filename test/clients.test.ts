// Real GraphQL clients run a query with variables, a mutation and an error case against the service.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { cacheExchange, createClient, fetchExchange } from '@urql/core'
import t from 'tap'
import { sandboxFor } from './support/sandbox.ts'

const USERS = 'query Users($limit: Int!) { users(limit: $limit, order_by: {id: asc}) { id name } }'
const ADD = 'mutation Add($name: String!) { insert_users_one(object: {name: $name}) { name } }'
const WRONG = '{ nope }'
const NOT_FOUND = "field 'nope' not found in type: 'query_root'"
const FIRST = [{ id: 1, name: 'ada' }]

t.test('fetch', async t => {
  const { post } = await sandboxFor(t)
  t.strictSame(await (await post({ query: USERS, variables: { limit: 1 } })).json(), { data: { users: FIRST } })
  t.strictSame(await (await post({ query: ADD, variables: { name: 'by-fetch' } })).json(), {
    data: { insert_users_one: { name: 'by-fetch' } }
  })
  t.match(await (await post({ query: WRONG })).json(), { errors: [{ message: NOT_FOUND }] })
})

t.test('Apollo Client', async t => {
  const { url } = await sandboxFor(t)
  const client = new ApolloClient({
    cache: new InMemoryCache({ addTypename: false } as object),
    link: new HttpLink({ uri: `${url}/execute-graphql` })
  })
  t.teardown(() => client.stop())
  t.match((await client.query({ query: gql(USERS), variables: { limit: 1 } })).data, { users: FIRST })
  t.match((await client.mutate({ mutation: gql(ADD), variables: { name: 'by-apollo' } })).data, { insert_users_one: { name: 'by-apollo' } })
  await t.rejects(client.query({ query: gql(WRONG) }), { message: NOT_FOUND })
})

t.test('urql', async t => {
  const { url } = await sandboxFor(t)
  for (const preferGetMethod of [false, 'force'] as const) {
    const client = createClient({ url: `${url}/execute-graphql`, preferGetMethod, exchanges: [cacheExchange, fetchExchange] })
    t.match((await client.query(USERS, { limit: 1 }).toPromise()).data, { users: FIRST })
    t.match((await client.mutation(ADD, { name: `by-urql-${preferGetMethod}` }).toPromise()).data, {
      insert_users_one: { name: /by-urql/ }
    })
    t.match((await client.query(WRONG, {}).toPromise()).error?.message, NOT_FOUND)
  }
})
