// What probes are told, in words that an operator can act on.
import t from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { givesTokens, startGateway } from '../support/gateway.ts'

const readiness = async (url: string) => {
  const answer = await fetch(`${url}/health/ready`)
  return {
    status: answer.status,
    cacheControl: answer.headers.get('cache-control'),
    body: (await answer.json()) as { token: { expiresInSeconds: number; nextExchangeInSeconds: number } }
  }
}

t.test('Cognito is down at start: live, not ready, and ready by itself once it is up', async t => {
  const gateway = await startGateway({ cognito: response => sendJson(response, { error: 'invalid_client' }, 400), isReady: false })
  t.teardown(() => gateway.close())
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

t.test('with a token it is ready, and the answer is not to be kept', async t => {
  const gateway = await startGateway({ cognito: givesTokens })
  t.teardown(() => gateway.close())
  const { status, cacheControl, body } = await readiness(gateway.url)
  t.equal(status, 200)
  t.match(cacheControl, /no-store/)
  t.match(body, { status: 'ready', token: { state: 'fresh', consecutiveFailures: 0 } })
  t.ok(body.token.expiresInSeconds > 3500 && body.token.nextExchangeInSeconds > 2500)
  t.notMatch(JSON.stringify(body), /payload-1/, 'the token is not shown')
})
