// What follows a failed exchange: how long the manager waits, what requests get meanwhile, and that it never gives up.
import t from 'tap'
import type { ExchangeErrorOptions, ExchangeFaultCode } from '../../src/cognito/exchange-error.ts'
import { TokenManager } from '../../src/cognito/token-manager.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { answerNumber, manageFirstToken, manageToken } from '../support/managed-token.ts'

for (const [code, options, waitMs] of [
  ['invalid_client', {}, 60_000],
  ['invalid_grant', {}, 60_000],
  ['invalid_scope', {}, 60_000],
  ['invalid_request', {}, 60_000],
  ['unauthorized_client', {}, 60_000],
  ['unsupported_grant_type', {}, 60_000],
  ['secret_unreadable', {}, 60_000],
  ['throttled', {}, 500],
  ['throttled', { retryAfterMs: 7_000 }, 7_000],
  ['throttled', { retryAfterMs: 4_000_000 }, 300_000],
  ['server_error', {}, 500],
  ['timeout', {}, 500],
  ['unreachable', {}, 500],
  ['invalid_response', {}, 500],
  ['expired_on_arrival', {}, 500]
] as [ExchangeFaultCode, ExchangeErrorOptions, number][])
  t.test(`${code}${options.retryAfterMs ? ` with Retry-After ${options.retryAfterMs} ms` : ''} is retried after ${waitMs} ms`, async t => {
    const { manager, clock, startedAtMs, fail, succeed } = manageToken()
    manager.start()
    await fail(code, options)
    await clock.advance(waitMs - 1)
    t.strictSame(startedAtMs, [0])
    await clock.advance(1)
    t.strictSame(startedAtMs, [0, waitMs])
    await succeed()
    t.equal(manager.getToken(), 'token-2')
  })

t.test('each transient failure doubles the wait, up to 30 s, and a success resets it', async t => {
  const { manager, clock, startedAtMs, fail, succeed } = manageToken()
  const waits: number[] = []
  const failOnce = async () => {
    const failedAtMs = clock.nowMs()
    const count = startedAtMs.length
    await fail()
    while (startedAtMs.length === count) await clock.advance(100)
    waits.push((startedAtMs.at(-1) ?? 0) - failedAtMs)
  }
  manager.start()
  for (let n = 0; n < 8; n++) await failOnce()
  await succeed({ expiresInSeconds: 4 })
  await clock.advance(3_000)
  await failOnce()
  t.strictSame(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 500])
})

t.test('retryNow ends a back-off, but not before a Retry-After is over, and does nothing else', async t => {
  const { manager, clock, startedAtMs, fail, succeed } = manageToken()
  manager.start()
  manager.retryNow()
  t.strictSame(startedAtMs, [0], 'one exchange at a time')
  await fail('invalid_client')
  await clock.advance(10)
  manager.retryNow()
  t.strictSame(startedAtMs, [0, 10])
  await fail('throttled', { retryAfterMs: 7_000 })
  manager.retryNow()
  t.strictSame(startedAtMs, [0, 10])
  await clock.advance(7_000)
  await succeed()
  manager.retryNow()
  t.strictSame(startedAtMs, [0, 10, 7_010], 'a good token is kept')
  manager.stop()
})

t.test('during a back-off, a request is refused at once, with Retry-After', async t => {
  const { manager, clock, startedAtMs, fail } = manageToken()
  manager.start()
  await fail('throttled', { retryAfterMs: 7_000 })
  await clock.advance(600)
  await t.rejects(Promise.resolve(manager.getToken()), { code: 'TOKEN_UNAVAILABLE', statusCode: 503, headers: { 'retry-after': '7' } })
  await t.rejects(manager.rejectToken('token-0'), { code: 'TOKEN_UNAVAILABLE' })
  t.strictSame(startedAtMs, [0])
  t.equal(clock.nowMs(), 600)
})

t.test('the Retry-After for a caller is at least one second', async t => {
  const { manager, fail } = manageToken(() => 0.001)
  manager.start()
  await fail()
  await t.rejects(Promise.resolve(manager.getToken()), { code: 'TOKEN_UNAVAILABLE', headers: { 'retry-after': '1' } })
})

t.test('a waiting request is refused as soon as the exchange fails', async t => {
  const { manager, fail } = manageToken()
  manager.start()
  const request = t.rejects(Promise.resolve(manager.getToken()), { code: 'TOKEN_UNAVAILABLE', cause: { code: 'invalid_client' } })
  await fail('invalid_client')
  await request
})

t.test('requests are not refused because the timer of a back-off is late', async t => {
  const { manager, clock, startedAtMs, fail, succeed } = manageToken()
  manager.start()
  await fail()
  clock.sleep(500)
  const request = manager.getToken()
  t.equal(startedAtMs.length, 2)
  await succeed()
  t.equal(await request, 'token-2')
})

t.test('a usable token stays in use while its renewal fails', async t => {
  const { manager, clock, fail } = await manageFirstToken()
  await clock.advance(2_700_000)
  while (clock.nowMs() < 3_590_000) {
    t.equal(manager.getToken(), 'token-1')
    await fail('throttled', { retryAfterMs: 300_000 })
    await clock.advance(Math.min(300_000, 3_590_000 - clock.nowMs()))
  }
  await t.rejects(Promise.resolve(manager.getToken(0)), { code: 'TOKEN_UNAVAILABLE' })
})

t.test('a token that expires before it arrives is a failure, so the next one is not requested at once', async t => {
  const { manager, clock, startedAtMs, reports, succeed } = manageToken()
  manager.start()
  await clock.advance(9_800)
  await succeed({ expiresInSeconds: 10 })
  t.match(reports, [{ outcome: 'expired_on_arrival', failure: { consecutive: 1, retryInSeconds: 0.5 } }])
  await clock.advance(499)
  t.equal(startedAtMs.length, 1)
  await clock.advance(1)
  t.equal(startedAtMs.length, 2)
})

t.test('a token that arrives one tick earlier is used', async t => {
  const { manager, clock, reports, succeed } = manageToken()
  manager.start()
  await clock.advance(9_799)
  await succeed({ expiresInSeconds: 10 })
  t.match(reports, [{ outcome: 'ok' }])
  t.equal(manager.getToken(), 'token-1')
})

for (const [title, broken] of [
  [
    'throws before it returns a promise',
    () => {
      throw new TypeError('broken')
    }
  ],
  ['fails with what is no error', () => Promise.reject('broken')],
  ['fails with nothing', () => Promise.reject()],
  ['gives nothing', () => Promise.resolve(undefined as never)]
] as [string, () => Promise<never>][])
  t.test(`renewal goes on after an exchange that ${title}`, async t => {
    const clock = new FakeClock()
    let isBroken = true
    const exchange = () => (isBroken ? broken() : Promise.resolve(answerNumber(1)))
    const manager = new TokenManager({ exchange, clock, random: () => 0.5 })
    manager.start()
    await settle()
    t.equal(manager.status().consecutiveFailures, 1)
    isBroken = false
    await clock.advance(500)
    t.equal(manager.getToken(), 'token-1')
  })

t.test('renewal goes on after a listener throws', async t => {
  const clock = new FakeClock()
  let count = 0
  const onExchange = () => {
    throw new Error('listener')
  }
  const exchange = async () => {
    count += 1
    if (count === 1) throw new Error('first')
    return answerNumber(count)
  }
  const manager = new TokenManager({ exchange, onExchange, clock, random: () => 0.5 })
  manager.start()
  await settle()
  await clock.advance(500)
  t.equal(manager.getToken(), 'token-2')
  await clock.advance(2_700_000)
  t.equal(manager.getToken(), 'token-3')
})
