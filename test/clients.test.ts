// Real GraphQL clients run a query with variables, a mutation and an error case against the service.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { cacheExchange, createClient, fetchExchange } from '@urql/core'
import { createClient as createSseClient } from 'graphql-sse'
import t from 'tap'
import { hasChromium, startBrowser } from './support/browser.ts'
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

const LIVE = 'subscription Live($id: Int!) { users(where: {id: {_eq: $id}}) { name } }'
const RENAME = 'mutation { update_users_by_pk(pk_columns: {id: 1}, _set: {name: "augusta"}) { id } }'
const subscriptions = { GRAPHQL_ALLOWED_OPERATIONS: 'query,mutation,subscription' }

t.test('graphql-sse', async t => {
  const { url, post } = await sandboxFor(t, subscriptions)
  const client = createSseClient({ url: `${url}/execute-graphql`, retryAttempts: 0 })
  t.teardown(() => client.dispose())
  const query = client.iterate({ query: USERS, variables: { limit: 1 } })
  t.match((await query.next()).value, { data: { users: FIRST } })
  const live = client.iterate({ query: LIVE, variables: { id: 1 } })
  t.match((await live.next()).value, { data: { users: [{ name: 'ada' }] } })
  await post({ query: RENAME })
  t.match((await live.next()).value, { data: { users: [{ name: 'augusta' }] } })
  const wrong = client.iterate({ query: 'subscription { nope { id } }' })
  t.match((await wrong.next()).value, { errors: [{ message: NOT_FOUND.replace('query_root', 'subscription_root') }] })
  t.equal((await wrong.next()).done, true)
})

/** Runs in the page: an EventSource whose events are kept until the test reads them. */
const OPEN = (path: string) => `
  window.events = []
  window.source = new EventSource(${JSON.stringify(path)})
  for (const type of ['next', 'complete', 'error'])
    window.source.addEventListener(type, ({ data }) => {
      window.events.push({ type, data })
      if (type === 'complete') window.source.close()
    })`

t.test('EventSource in a browser', { skip: !hasChromium && 'chromium is not installed' }, async t => {
  const { url, post } = await sandboxFor(t, { ...subscriptions, OPERATIONS_DIR: 'operations' })
  const browser = await startBrowser()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  // A page without a content security policy, which would block the test's script.
  await page.goto(`${url}/health/live`)
  const next = async (count: number) => {
    await page.waitForFunction(`window.events.length >= ${count}`)
    return page.evaluate(`window.events[${count - 1}]`)
  }
  await page.evaluate(OPEN('/operations/watch-users?limit=1'))
  t.match(await next(1), { type: 'next', data: /"name":"ada"/ })
  await post({ query: RENAME })
  t.match(await next(2), { type: 'next', data: /"name":"augusta"/ })
  await page.evaluate('window.source.close()')
  await page.evaluate(OPEN(`/execute-graphql?query=${encodeURIComponent('subscription { nope { id } }')}`))
  t.match(await next(1), { type: 'next', data: /nope/ })
  t.strictSame(await next(2), { type: 'complete', data: '' })
})
