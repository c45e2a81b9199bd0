// The token manager in the service: its start and stop, and its log.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import pino from 'pino'
import t, { type Test } from 'tap'
import { createNoticeLog, logExchange } from '../../plugins/cognitoAuth.ts'
import { startCognito } from '../../sandbox/cognito.ts'
import { ExchangeError, type ExchangeFaultCode } from '../../src/cognito/exchange-error.ts'
import type { ExchangeReport } from '../../src/cognito/token-status.ts'
import { sendJson } from '../support/fake-server.ts'
import { type GatewayOptions, givesTokens, startGateway, tokenNumber } from '../support/gateway.ts'

/** A logger that collects its lines. */
function createLog() {
  const lines: Record<string, unknown>[] = []
  return { lines, log: pino({ base: null, timestamp: false }, { write: line => void lines.push(JSON.parse(line)) }) }
}

async function gatewayFor(t: Test, options: GatewayOptions) {
  const { lines, log } = createLog()
  const gateway = await startGateway({ logger: log, ...options })
  t.teardown(() => gateway.close())
  return { ...gateway, lines }
}

const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.hush`
const report = (notices: string[]): ExchangeReport => ({
  reason: 'scheduled',
  outcome: 'ok',
  durationMs: 1,
  token: { expiresInSeconds: 300, refreshInSeconds: 225, cognitoRequestId: 'id-1', notices }
})

t.test('the service starts while Cognito is down, and becomes ready by itself', async t => {
  const { app, url, cognito, lines } = await gatewayFor(t, {
    isReady: false,
    cognito: (response, request, count) => (count === 1 ? response.writeHead(503).end() : givesTokens(response, request, count))
  })
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  await cognito.hasReceived(2)
  await app.tokenManager.getToken()
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  t.match(
    lines.filter(({ level }) => Number(level) > 30),
    [{ level: 40, code: 'server_error', reason: 'start' }]
  )
})

t.test('with AWS_COGNITO_ENDPOINT, the token comes from GetClientToken', async t => {
  const cognito = await startCognito({ clientId: 'client-id', clientSecret: 'client-secret' })
  t.teardown(() => cognito.close())
  const settings = { AWS_COGNITO_ENDPOINT: cognito.url, AWS_COGNITO_SCOPES: 'hasura/read', AWS_COGNITO_CLIENT_METADATA: '{"tenant":"a"}' }
  const { post, hasura, lines } = await gatewayFor(t, { settings })
  t.equal((await post({ query: '{ a }' })).status, 200)
  const token = hasura.received[0]?.headers.authorization?.replace('Bearer ', '') ?? ''
  t.match(decodeJwt(token), { client_id: 'client-id', scope: 'hasura/read' })
  t.match(
    lines.find(({ msg }) => msg === 'token renewed'),
    { expiresInSeconds: 120, cognitoRequestId: /^[0-9a-f-]{36}$/ }
  )
})

for (const [code, level] of [
  ['invalid_client', 50],
  ['secret_unreadable', 50],
  ['throttled', 40],
  ['unreachable', 40]
] as [ExchangeFaultCode, number][])
  t.test(`${code} is logged at level ${level} with what to check and why`, async t => {
    const { lines, log } = createLog()
    const error = new ExchangeError(code, { cause: new Error('reason'), cognitoRequestId: 'id-1' })
    logExchange(log, { reason: 'start', outcome: code, durationMs: 1, failure: { error, consecutive: 3, retryInSeconds: 9 } })
    t.match(lines, [
      {
        level,
        code,
        consecutive: 3,
        retryInSeconds: 9,
        cognitoRequestId: 'id-1',
        err: { message: 'reason' },
        msg: `no token from Cognito: ${error.message}`
      }
    ])
  })

t.test('a success is logged with the lifetime of the token', async t => {
  const { lines, log } = createLog()
  logExchange(log, report(['look']))
  t.strictSame(lines, [
    {
      level: 30,
      reason: 'scheduled',
      durationMs: 1,
      expiresInSeconds: 300,
      refreshInSeconds: 225,
      cognitoRequestId: 'id-1',
      msg: 'token renewed'
    }
  ])
})

t.test('a warning is logged when it appears and when it is resolved, not with every token', async t => {
  const { lines, log } = createLog()
  const logNotices = createNoticeLog(log)
  const failure = { error: new ExchangeError('timeout'), consecutive: 1, retryInSeconds: 1 }
  for (const notices of [[], ['a'], ['a'], ['a', 'b']]) logNotices(report(notices))
  logNotices({ reason: 'scheduled', outcome: 'timeout', durationMs: 1, failure })
  for (const notices of [['a', 'b'], ['b'], ['b']]) logNotices(report(notices))
  t.strictSame(lines, [
    { level: 40, msg: 'a' },
    { level: 40, msg: 'b' },
    { level: 30, msg: 'Resolved: a' }
  ])
})

t.test('the findings of the preflight in a real answer are logged once', async t => {
  const { app, lines } = await gatewayFor(t, {
    cognito: (response, _, count) => sendJson(response, { access_token: jwt({ jti: count }), expires_in: 300, token_type: 'Bearer' })
  })
  await app.tokenManager.rejectToken(jwt({ jti: 1 }))
  t.equal(app.tokenManager.getToken(), jwt({ jti: 2 }))
  t.equal(lines.filter(({ msg }) => msg === 'token renewed').length, 2)
  t.equal(lines.filter(({ msg }) => String(msg).includes('claims_map')).length, 1)
})

t.test('the log says which secret works, and no line contains a secret or a token', async t => {
  const { app, cognito, lines } = await gatewayFor(t, {
    settings: { AWS_COGNITO_APP_CLIENT_SECRET: 'hush-1', AWS_COGNITO_APP_CLIENT_SECRET_FALLBACK: 'hush-2' },
    cognito: (response, { body }) =>
      body.includes('hush-2')
        ? sendJson(response, { access_token: jwt({ secret: 'hush-3' }), expires_in: 300, token_type: 'Bearer' })
        : sendJson(response, { error: 'invalid_client', error_description: body }, 400)
  })
  t.equal(cognito.received.length, 2)
  t.match(app.tokenManager.getToken(), 'hush')
  t.match(
    lines.find(({ inUse }) => inUse),
    { level: 40, inUse: 'fallback' }
  )
  t.notMatch(JSON.stringify(lines), /hush|eyJ|e30/)
})

t.test('other plugins can observe every exchange', async t => {
  const reports: ExchangeReport[] = []
  const isListening = Promise.withResolvers<void>()
  const { app } = await gatewayFor(t, { isReady: false, cognito: (...asked) => void isListening.promise.then(() => givesTokens(...asked)) })
  app.onTokenExchange(report => reports.push(report))
  isListening.resolve()
  await app.tokenManager.getToken()
  t.match(reports, [{ reason: 'start', outcome: 'ok' }])
})

t.test('closing ends an exchange in progress and begins no other', async t => {
  const { app, cognito, lines } = await gatewayFor(t, { isReady: false, cognito: () => {} })
  await cognito.hasReceived(1)
  const request = t.rejects(Promise.resolve(app.tokenManager.getToken()), { code: 'TOKEN_UNAVAILABLE' })
  await app.close()
  await request
  await t.rejects(app.tokenManager.rejectToken(tokenNumber(1)), { code: 'TOKEN_UNAVAILABLE' })
  t.equal(cognito.received.length, 1)
  t.notOk(lines.some(({ level }) => Number(level) > 30))
})

t.test('a change of the secret file ends a back-off at once, whether written in place or replaced', async t => {
  for (const change of ['written', 'replaced']) {
    const path = join(t.testdir({ secret: 'wrong' }), 'secret')
    const gateway = await startGateway({
      isReady: false,
      settings: { AWS_COGNITO_APP_CLIENT_SECRET_FILE: path },
      cognito: (response, request, count) =>
        request.body.includes('right-secret') ? givesTokens(response, request, count) : sendJson(response, { error: 'invalid_client' }, 400)
    })
    await t.rejects(async () => gateway.app.tokenManager.getToken())
    const target = change === 'written' ? path : `${path}.new`
    writeFileSync(target, 'right-secret')
    if (target !== path) renameSync(target, path)
    // The back-off would last a minute.
    await gateway.cognito.hasReceived(2)
    t.ok(await gateway.app.tokenManager.getToken(), change)
    await gateway.close()
  }
})
