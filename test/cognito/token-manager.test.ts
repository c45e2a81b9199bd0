// A token's life in the manager: when it is renewed, and which requests wait.
import t from 'tap'
import { TIMER_MAX_MS } from '../../src/clock.ts'
import { EXCHANGE_MAX_MS, TokenManager, WAIT_MAX_MS } from '../../src/cognito/token-manager.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { manageFirstToken, manageToken } from '../support/managed-token.ts'

const UNAVAILABLE = { code: 'TOKEN_UNAVAILABLE' }

t.test('a request without a token waits 5 s for the exchange in progress, which goes on without it', async t => {
  const { manager, clock, startedAtMs, succeed } = manageToken()
  manager.start()
  let hasEnded = false
  const request = t.rejects(Promise.resolve(manager.getToken()), UNAVAILABLE).then(() => (hasEnded = true))
  await clock.advance(WAIT_MAX_MS - 1)
  t.equal(hasEnded, false)
  await clock.advance(1)
  t.equal(hasEnded, true)
  await request
  await succeed()
  t.equal(manager.getToken(), 'token-1')
  t.strictSame(startedAtMs, [0])
})

for (const [waitMs, endsAfterMs] of [
  [0, 0],
  [200, 200],
  [4_999, 4_999],
  [5_001, 5_000],
  [60_000, 5_000]
] as const)
  t.test(`a request with ${waitMs} ms left waits ${endsAfterMs} ms`, async t => {
    const { manager, clock } = manageToken()
    manager.start()
    const ended = t.rejects(Promise.resolve(manager.getToken(waitMs)), UNAVAILABLE).then(() => clock.nowMs())
    await clock.advance(10_000)
    t.equal(await ended, endsAfterMs)
    t.equal(clock.timers.size, 1, 'nothing but the time of the exchange itself is left')
  })

t.test('ten thousand cold requests cause one exchange, and all get its token', async t => {
  const { manager, clock, startedAtMs, succeed } = manageToken()
  const requests = Array.from({ length: 10_000 }, () => manager.getToken())
  await succeed()
  t.strictSame(new Set(await Promise.all(requests)), new Set(['token-1']))
  t.equal(startedAtMs.length, 1)
  t.equal(clock.timers.size, 1, 'nothing but the renewal is left')
})

t.test('a second start changes nothing', async t => {
  const { manager, startedAtMs } = await manageFirstToken()
  manager.start()
  t.equal(startedAtMs.length, 1)
})

for (const [expiresInSeconds, random, renewedAtMs] of [
  [4, 0.5, 3_000],
  [300, 0, 210_000],
  [300, 0.5, 225_000],
  [300, 0.9999, 239_997],
  [3_600, 0.5, 2_700_000],
  [86_400, 0.5, 64_800_000]
] as const)
  t.test(`a token of ${expiresInSeconds} s with random ${random} is renewed after ${renewedAtMs} ms, and no request waits`, async t => {
    const { manager, clock, startedAtMs, succeed } = await manageFirstToken({ expiresInSeconds }, () => random)
    await clock.advance(renewedAtMs - 1)
    t.equal(startedAtMs.length, 1)
    await clock.advance(2)
    t.equal(startedAtMs.length, 2)
    t.equal(manager.getToken(), 'token-1', 'the stale one is used while its renewal is under way')
    await succeed()
    t.equal(manager.getToken(), 'token-2')
  })

for (const [expiresInSeconds, unusableAtMs] of [
  [4, 3_920],
  [300, 294_000],
  [3_600, 3_590_000]
] as const)
  t.test(`a token of ${expiresInSeconds} s is used until ${unusableAtMs} ms, then requests wait for its renewal`, async t => {
    const { manager, clock, succeed } = await manageFirstToken({ expiresInSeconds })
    // The renewal is in progress and slow; its duration does not matter here.
    clock.sleep(unusableAtMs - 1)
    t.equal(manager.getToken(), 'token-1')
    clock.sleep(1)
    const request = manager.getToken()
    t.not(request, 'token-1')
    await succeed()
    t.equal(await request, 'token-2')
  })

t.test('a lifetime counts from before the request, not from the answer', async t => {
  const { manager, clock, succeed } = manageToken()
  manager.start()
  await clock.advance(4_000)
  await succeed({ expiresInSeconds: 100 })
  t.match(manager.status(), { ageSeconds: 4, expiresInSeconds: 96, nextExchangeInSeconds: 71 })
})

t.test('the random spread is chosen once for each token', async t => {
  let draws = 0
  const { clock, manager, succeed } = await manageFirstToken({}, () => {
    draws += 1
    return 0.5
  })
  await clock.advance(2_699_999)
  for (let n = 0; n < 100; n++) t.equal(manager.getToken(), 'token-1')
  t.equal(draws, 1)
  await clock.advance(1)
  await succeed()
  t.equal(draws, 2)
})

t.test('a timer that fires late, after a sleep, does not renew a token that a request has renewed', async t => {
  const { manager, clock, startedAtMs, reports, succeed } = await manageFirstToken()
  clock.sleep(8 * 3_600_000)
  t.equal(manager.status().state, 'unusable')
  const request = manager.getToken()
  await succeed()
  t.equal(await request, 'token-2')
  await clock.advance(0)
  t.equal(startedAtMs.length, 2)
  t.match(reports[1], { reason: 'expired', outcome: 'ok' })
})

t.test('a timer that fires late, with no request waiting, renews at once', async t => {
  const { clock, startedAtMs } = await manageFirstToken()
  clock.sleep(8 * 3_600_000)
  await clock.advance(0)
  t.strictSame(startedAtMs, [0, 8 * 3_600_000])
})

t.test('a jump of the wall clock changes only what is reported', async t => {
  const { manager, clock, startedAtMs } = await manageFirstToken()
  clock.wallStartMs += 365 * 86_400_000
  t.equal(manager.getToken(), 'token-1')
  t.equal(manager.status().expiryTimestampSeconds, (clock.wallMs() + 3_600_000) / 1000)
  await clock.advance(2_699_999)
  t.equal(startedAtMs.length, 1)
})

t.test('a delay that is too long for one timer is split into several', async t => {
  class StrictClock extends FakeClock {
    override setTimer(callback: () => void, delayMs: number) {
      t.ok(delayMs >= 0 && delayMs <= TIMER_MAX_MS && Number.isInteger(delayMs), `a timer of ${delayMs} ms`)
      return super.setTimer(callback, delayMs)
    }
  }
  const clock = new StrictClock()
  let exchanges = 0
  const exchange = async () => {
    exchanges += 1
    return { accessToken: 'x', expiresInSeconds: 100 * 86_400, date: undefined, cognitoRequestId: undefined }
  }
  const manager = new TokenManager({ exchange, clock, random: () => 0.5 })
  manager.start()
  await clock.advance(75 * 86_400_000 - 1)
  t.equal(exchanges, 1)
  await clock.advance(1)
  t.equal(exchanges, 2)
})

t.test('a timer that fires a little early does not renew early', async t => {
  const { clock, startedAtMs } = await manageFirstToken()
  const [timer] = clock.timers
  clock.sleep(2_699_999)
  clock.timers.clear()
  timer?.callback()
  t.equal(startedAtMs.length, 1)
  await clock.advance(1)
  t.equal(startedAtMs.length, 2)
})

t.test('an exchange that never ends is abandoned, and the next one restores service', async t => {
  const { manager, clock, startedAtMs, reports, succeed } = manageToken()
  manager.start()
  await clock.advance(EXCHANGE_MAX_MS - 1)
  t.strictSame(reports, [])
  await clock.advance(1)
  t.match(reports, [{ outcome: 'timeout' }])
  await clock.advance(500)
  t.equal(startedAtMs.length, 2)
  await succeed()
  t.equal(manager.getToken(), 'token-2')
})

t.test('after stop no exchange begins, and the result of one in progress is not used', async t => {
  const { manager, clock, startedAtMs, reports, succeed } = manageToken()
  manager.start()
  const request = t.rejects(Promise.resolve(manager.getToken()), UNAVAILABLE)
  manager.stop()
  await succeed()
  await request
  await clock.advance(86_400_000)
  await t.rejects(Promise.resolve(manager.getToken()), UNAVAILABLE)
  t.strictSame(startedAtMs, [0])
  t.strictSame(reports, [])
  t.equal(clock.timers.size, 0)
})

t.test('after stop a usable token is still returned, but not renewed', async t => {
  const { manager, clock, startedAtMs } = await manageFirstToken()
  manager.stop()
  t.equal(manager.getToken(), 'token-1')
  await t.rejects(manager.rejectToken('token-1'), UNAVAILABLE)
  await clock.advance(86_400_000)
  t.strictSame(startedAtMs, [0])
})
