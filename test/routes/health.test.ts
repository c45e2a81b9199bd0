// What probes report, in words that an operator can act on.
import t from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { gatewayFor, givesTokens } from '../support/gateway.ts'

const readiness = async (url: string) => {
  const answer = await fetch(`${url}/health/ready`)
  return {
    status: answer.status,
    cacheControl: answer.headers.get('cache-control'),
    body: (await answer.json()) as {
      reasons: string[]
      token: Record<string, unknown> & { expiresInSeconds: number; nextExchangeInSeconds: number }
    }
  }
}

t.test('if Cognito is down at start, the service is live, not ready, and becomes ready by itself', async t => {
  const gateway = await gatewayFor(t, { cognito: response => sendJson(response, { error: 'invalid_client' }, 400), isReady: false })
  await t.rejects(async () => gateway.app.tokenManager.getToken())
  t.equal((await fetch(`${gateway.url}/health/live`)).status, 200)
  const { status, body } = await readiness(gateway.url)
  t.equal(status, 503)
  t.match(body, {
    status: 'not ready',
    reasons: [/no token from Cognito yet/, /invalid_client: .*check AWS_COGNITO_APP_CLIENT_ID.*next try is in \d+ s/],
    token: { state: 'none', consecutiveFailures: 1, lastFailure: { code: 'invalid_client' } }
  })
})

t.test('with a token the service is ready, and the answer is not cacheable', async t => {
  const gateway = await gatewayFor(t, { cognito: givesTokens })
  const { status, cacheControl, body } = await readiness(gateway.url)
  t.equal(status, 200)
  t.match(cacheControl, /no-store/)
  t.match(body, { status: 'ready', token: { state: 'fresh', consecutiveFailures: 0 } })
  t.ok(body.token.expiresInSeconds > 3500 && body.token.nextExchangeInSeconds > 2500)
  for (const [name, value] of Object.entries(body.token)) if (typeof value === 'number') t.ok(Number.isInteger(value), name)
  t.notMatch(JSON.stringify(body), /payload-1/, 'the token is not shown')
  t.strictSame(Object.keys(body), ['status', 'reasons', 'token'])
  const known = ['state', 'consecutiveFailures', 'ageSeconds', 'expiresInSeconds', 'nextExchangeInSeconds', 'exchangesPerMonth']
  t.strictSame(Object.keys(body.token), known, 'what is known of the token and is not in the schema stays here')
})

t.test("Hasura's last failure is a reason, and the service stays ready; the next success clears it", async t => {
  const gateway = await gatewayFor(t, {
    settings: { DOCS_ENABLED: 'true' },
    hasura: (response, { body }) => {
      if (body.includes('broken')) return response.destroy()
      if (body.includes('down')) return sendJson(response, '{"error":"down"}', 500)
      if (body.includes('full')) return sendJson(response, '{"errors":[{"extensions":{"code":"postgres-error"},"message":"x"}]}')
      if (body.includes('wrong')) return sendJson(response, '{"errors":[{"extensions":{"code":"validation-failed"},"message":"x"}]}')
      sendJson(response, '{"data":{}}')
    }
  })
  const home = async () => (await fetch(`${gateway.url}/`)).text()
  for (const [query, expected] of [
    ['mutation { broken }', /^The last call to Hasura failed \d+ s ago\. Hasura could not be reached.*check GRAPHQL_ENDPOINT/],
    ['mutation { down }', /Hasura answered with status 500: check/],
    ['{ full }', /postgres-error: check its database/]
  ] as const) {
    await gateway.post({ query })
    const { status, body } = await readiness(gateway.url)
    t.equal(status, 200, query)
    t.match(body, { status: 'ready', reasons: [expected] }, query)
    t.match(await home(), /Ready, but Hasura fails\.\n(.*\n)*The last call to Hasura failed/, query)
    // An error of the caller is not a failure of Hasura.
    await gateway.post({ query: '{ wrong }' })
    t.strictSame((await readiness(gateway.url)).body.reasons, [], query)
  }
  t.match(await home(), 'Ready: operations run.')
})

t.test('the warning about missing Hasura claims disappears for good once Hasura has answered with data', async t => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const gateway = await gatewayFor(t, {
    cognito: (response, _, count) =>
      sendJson(response, { access_token: `${part({})}.${part({ count })}.x`, expires_in: 3600, token_type: 'Bearer' }),
    hasura: (response, { body }) => {
      if (body.includes('expired')) return sendJson(response, '{"errors":[{"extensions":{"path":"$","code":"invalid-jwt"},"message":"x"}]}')
      sendJson(response, body.includes('wrong') ? '{"errors":[{"message":"x"}]}' : '{"data":{}}')
    }
  })
  const reasons = async () => (await readiness(gateway.url)).body.reasons
  t.match(await reasons(), [/no Hasura claims/])
  await gateway.post({ query: '{ wrong }' })
  t.match(await reasons(), [/no Hasura claims/], 'errors alone prove nothing')
  await gateway.post({ query: '{ a }' })
  t.strictSame(await reasons(), [])
  await gateway.post({ query: '{ expired }' })
  await gateway.post({ query: '{ a }' })
  t.equal(gateway.cognito.received.length, 2, 'there is another token')
  t.strictSame(await reasons(), [])
})
