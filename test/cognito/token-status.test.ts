import { inspect } from 'node:util'
import t from 'tap'
import { createAccessToken } from '../../src/cognito/access-token.ts'
import { statusOfToken } from '../../src/cognito/token-status.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { manageFirstToken, manageToken } from '../support/managed-token.ts'

t.test('without a token, the status says only that', async t => {
  t.strictSame(statusOfToken(undefined, new FakeClock()), { state: 'none' })
})

t.test('before the first exchange ends, the status names no next one', async t => {
  const { manager } = manageToken()
  manager.start()
  t.strictSame(manager.status(), { state: 'none', consecutiveFailures: 0, notices: [] })
})

t.test('a failure shows its code, what to check and when the next attempt is', async t => {
  const { manager, clock, fail } = manageToken()
  manager.start()
  await fail('unauthorized_client', { status: 400 })
  await clock.advance(1_000)
  t.strictSame(manager.status(), {
    state: 'none',
    nextExchangeInSeconds: 59,
    consecutiveFailures: 1,
    lastFailure: { code: 'unauthorized_client', advice: 'status 400; enable the client credentials grant on the app client' },
    notices: []
  })
})

t.test('a token shows its age, its expiry on both clocks and its renewal', async t => {
  const { manager, clock } = await manageFirstToken()
  await clock.advance(600_000)
  t.strictSame(manager.status(), {
    state: 'fresh',
    ageSeconds: 600,
    expiresInSeconds: 3_000,
    expiryTimestampSeconds: clock.wallStartMs / 1000 + 3_600,
    exchangesPerMonth: 960,
    nextExchangeInSeconds: 2_100,
    consecutiveFailures: 0,
    notices: []
  })
})

for (const [atMs, state] of [
  [2_699_999, 'fresh'],
  [2_700_000, 'stale'],
  [3_589_999, 'stale'],
  [3_590_000, 'unusable'],
  [4_000_000, 'unusable']
] as const)
  t.test(`after ${atMs} ms without renewal the state is ${state}`, async t => {
    const { manager, clock } = await manageFirstToken()
    clock.sleep(atMs)
    t.equal(manager.status().state, state)
    t.equal(manager.status().expiresInSeconds, (3_600_000 - atMs) / 1000)
    t.equal(manager.status().nextExchangeInSeconds, Math.max(0, 2_700_000 - atMs) / 1000)
  })

for (const [expiresInSeconds, random, exchangesPerMonth] of [
  [300, 0.5, 11_520],
  [3_600, 0, 1_029],
  [3_600, 0.5, 960],
  [86_400, 0.5, 40]
] as const)
  t.test(`tokens of ${expiresInSeconds} s with random ${random} need ${exchangesPerMonth} exchanges a month`, async t => {
    const token = createAccessToken({ accessToken: 'x', expiresInSeconds }, 0, random)
    t.match(statusOfToken(token, new FakeClock()), { exchangesPerMonth })
  })

t.test('each exchange is reported with its reason and outcome', async t => {
  const { manager, clock, fail, succeed, reports } = manageToken()
  manager.start()
  await fail('throttled')
  await clock.advance(500)
  await succeed()
  await clock.advance(2_700_000)
  await fail('timeout')
  await clock.advance(500)
  await succeed()
  const refusal = manager.rejectToken('token-4')
  await succeed()
  await refusal
  clock.sleep(3_600_000)
  const request = manager.getToken()
  await succeed()
  await request
  t.strictSame(
    reports.map(({ reason, outcome }) => `${reason} ${outcome}`),
    ['start throttled', 'start ok', 'scheduled timeout', 'scheduled ok', 'rejected ok', 'expired ok']
  )
})

t.test('the status and the report contain what the preflight finds, until the next token', async t => {
  const date = new Date(new FakeClock().wallMs() + 60_000).toUTCString()
  const { manager, reports, clock, succeed } = await manageFirstToken({ date })
  t.match(manager.status().notices, [/clock of this machine/])
  t.match(reports[0]?.token?.notices, [/clock of this machine/])
  await clock.advance(2_700_000)
  await succeed()
  t.strictSame(manager.status().notices, [])
})

t.test('a report of a success contains the token’s lifetime, and one of a failure the wait', async t => {
  const { manager, clock, reports, succeed, fail } = manageToken()
  manager.start()
  await clock.advance(100)
  await succeed()
  await clock.advance(2_699_900)
  await fail('server_error', { status: 503 })
  t.match(reports[0], {
    reason: 'start',
    outcome: 'ok',
    durationMs: 100,
    token: { expiresInSeconds: 3_600, refreshInSeconds: 2_699.9, cognitoRequestId: 'request-1', notices: [] },
    failure: undefined
  })
  t.match(reports[1], {
    reason: 'scheduled',
    outcome: 'server_error',
    durationMs: 0,
    token: undefined,
    failure: { consecutive: 1, retryInSeconds: 0.5, error: { code: 'server_error' } }
  })
})

t.test('neither status nor reports show the token', async t => {
  const { manager, reports } = await manageFirstToken({ accessToken: 'hush' })
  t.notMatch(inspect([manager.status(), reports, manager], { depth: 9 }), /hush/)
})
