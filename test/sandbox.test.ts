// From a caller through a real token exchange to a GraphQL server and back, on the sandbox's servers.
import t from 'tap'
import { codeOf } from './support/gateway.ts'
import { sandboxFor } from './support/sandbox.ts'

t.test('with a secret that Cognito does not know, the service is not ready and says why', async t => {
  const { url, post } = await sandboxFor(t, { AWS_COGNITO_APP_CLIENT_SECRET: 'wrong' })
  const answer = await post({ query: '{ users { id } }' })
  t.equal(answer.status, 503)
  t.equal(await codeOf(answer), 'TOKEN_UNAVAILABLE')
  t.match(await (await fetch(`${url}/health/ready`)).json(), { token: { lastFailure: { code: 'invalid_client' } } })
})

t.test('a Hasura that accepts only tokens of another pool refuses the token', async t => {
  const { post } = await sandboxFor(t, {}, { issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/other' })
  const answer = await post({ query: '{ users { id } }' })
  t.equal(answer.status, 502)
  t.match(await answer.json(), { errors: [{ message: /JWTNotInIssuer/, extensions: { code: 'UPSTREAM_REJECTED_TOKEN' } }] })
})

t.test('queries, variables, mutations and errors', async t => {
  const { post, url } = await sandboxFor(t, { HASURA_ALLOWED_ROLES: 'reader' })
  const users = { query: 'query Users($limit: Int!) { users(limit: $limit, order_by: {id: asc}) { id name } }', variables: { limit: 2 } }
  t.equal(await (await post(users)).text(), '{"data":{"users":[{"id":1,"name":"ada"},{"id":2,"name":"grace"}]}}')
  const byGet = await fetch(`${url}/execute-graphql?${new URLSearchParams({ query: users.query, variables: '{"limit":1}' })}`)
  t.equal(await byGet.text(), '{"data":{"users":[{"id":1,"name":"ada"}]}}')
  const mutation = { query: 'mutation { insert_users_one(object: {name: "a-new-one"}) { name } }' }
  t.equal(await (await post(mutation)).text(), '{"data":{"insert_users_one":{"name":"a-new-one"}}}')
  t.match(await (await post(mutation, { 'x-hasura-role': 'reader' })).text(), 'no mutations exist')
  const wrong = await post({ query: '{ nope }' })
  t.equal(wrong.status, 200)
  t.match(await wrong.text(), "field 'nope' not found in type: 'query_root'")
  t.equal((await post({ query: '{ nope }' }, { accept: 'application/graphql-response+json' })).status, 400)
  t.match(await (await post({ query: '{ orders(order_by: {number: desc}) { number } }' })).text(), '9007199254740993')
})
