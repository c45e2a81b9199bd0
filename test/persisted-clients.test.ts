// Apollo Client and urql send the names of their documents, unmodified: by POST and GET, known already or not.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { cacheExchange, createClient, fetchExchange } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import { parse, print } from 'graphql'
import t, { type Test } from 'tap'
import { sha256 } from './support/caller-keys.ts'
import { startGateway } from './support/gateway.ts'

const QUERY = 'query Users {\n  users {\n    id\n  }\n}'
const USERS = { users: [{ id: 1 }] }

/** A gateway, and a `fetch` that records which requests clients made: the method, with or without the document. */
async function gatewayFor(t: Test, settings: Record<string, string> = {}) {
  const gateway = await startGateway({ settings })
  t.teardown(() => gateway.close())
  const requests: string[] = []
  const watched: typeof fetch = (input, init) => {
    const sent = decodeURIComponent(`${input}`.replaceAll('+', ' ')) + (init?.body ?? '')
    requests.push(`${init?.method ?? 'GET'} ${sent.includes('users') ? 'document' : 'hash'}`)
    return fetch(input, init)
  }
  return { ...gateway, uri: `${gateway.url}/execute-graphql`, requests, fetch: watched }
}

t.test("Apollo Client's link for persisted queries", async t => {
  for (const useGETForHashedQueries of [false, true]) {
    const { uri, requests, fetch } = await gatewayFor(t)
    for (const expected of useGETForHashedQueries
      ? [['GET hash', 'POST document'], ['GET hash']]
      : [['POST hash', 'POST document'], ['POST hash']]) {
      const client = new ApolloClient({
        cache: new InMemoryCache({ addTypename: false } as object),
        link: createPersistedQueryLink({ sha256, useGETForHashedQueries }).concat(new HttpLink({ uri, fetch }))
      })
      requests.length = 0
      t.match((await client.query({ query: gql(QUERY) })).data, USERS)
      t.strictSame(requests, expected)
      client.stop()
    }
  }
})

t.test("Apollo Client's link with the IDs of a manifest, if nothing else may run", async t => {
  const body = print(parse(QUERY))
  const id = 'list-1'
  const manifest = `${t.testdir({
    'manifest.json': JSON.stringify({
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id, name: 'Users', type: 'query', body }]
    })
  })}/manifest.json`
  const { uri, requests, fetch } = await gatewayFor(t, { GRAPHQL_ADHOC: 'false', PERSISTED_DOCUMENTS_FILE: manifest })
  const client = new ApolloClient({
    cache: new InMemoryCache({ addTypename: false } as object),
    link: createPersistedQueryLink({ generateHash: () => id }).concat(new HttpLink({ uri, fetch }))
  })
  t.teardown(() => client.stop())
  t.match((await client.query({ query: gql(QUERY) })).data, USERS)
  t.strictSame(requests, ['POST hash'])
})

t.test("urql's exchange for persisted queries", async t => {
  for (const preferGetForPersistedQueries of [false, true] as const) {
    const { uri, requests, fetch } = await gatewayFor(t)
    const method = preferGetForPersistedQueries ? 'GET' : 'POST'
    for (const expected of [[`${method} hash`, /document/], [`${method} hash`]]) {
      const client = createClient({
        url: uri,
        fetch,
        preferGetMethod: false,
        exchanges: [
          cacheExchange,
          persistedExchange({ preferGetForPersistedQueries, generateHash: async query => sha256(query) }),
          fetchExchange
        ]
      })
      requests.length = 0
      t.match((await client.query(QUERY, {}).toPromise()).data, USERS)
      t.match(requests, expected)
      t.equal(requests.length, expected.length)
    }
  }
})
