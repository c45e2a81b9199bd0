// What the manager does when Hasura refuses a token.
import t from 'tap'
import { FORCED_RENEWAL_INTERVAL_MS } from '../../src/cognito/refresh-policy.ts'
import { manageFirstToken, manageToken } from '../support/managed-token.ts'

const UNAVAILABLE = { code: 'TOKEN_UNAVAILABLE' }

t.test('a second refusal within 30 s forces no second renewal', async t => {
  const { manager, clock, startedAtMs, succeed } = await manageFirstToken()
  const first = manager.rejectToken('token-1')
  await succeed()
  t.equal(await first, 'token-2')
  await clock.advance(FORCED_RENEWAL_INTERVAL_MS - 1)
  t.equal(await manager.rejectToken('token-2'), undefined)
  t.equal(startedAtMs.length, 2)
  await clock.advance(1)
  const third = manager.rejectToken('token-2')
  await succeed()
  t.equal(await third, 'token-3')
  t.equal(startedAtMs.length, 3)
})

t.test('ten thousand parallel refusals of one token cause one exchange, and all get the new token', async t => {
  const { manager, clock, startedAtMs, succeed } = await manageFirstToken()
  const refusals = Array.from({ length: 10_000 }, () => manager.rejectToken('token-1'))
  await succeed()
  t.strictSame(new Set(await Promise.all(refusals)), new Set(['token-2']))
  t.equal(startedAtMs.length, 2)
  t.equal(clock.timers.size, 1, 'nothing but the renewal is left')
  t.equal(await manager.rejectToken('token-1'), 'token-2', 'one that comes late is given the new one too')
  t.equal(startedAtMs.length, 2)
})

t.test('a forced renewal that fails is TOKEN_UNAVAILABLE, and none is forced during the back-off', async t => {
  const { manager, startedAtMs, fail } = await manageFirstToken()
  const first = t.rejects(manager.rejectToken('token-1'), UNAVAILABLE)
  await fail()
  await first
  await t.rejects(manager.rejectToken('token-1'), UNAVAILABLE)
  t.equal(startedAtMs.length, 2)
  t.equal(manager.getToken(), 'token-1', 'requests still try the old one')
})

t.test('a renewal that exceeds the time of the caller is TOKEN_UNAVAILABLE', async t => {
  const { manager, clock, succeed } = await manageFirstToken()
  const refusal = t.rejects(manager.rejectToken('token-1', 200), UNAVAILABLE)
  await clock.advance(200)
  await refusal
  await succeed()
  t.equal(manager.getToken(), 'token-2')
})

t.test('a renewal that returns the same token does not help', async t => {
  const { manager, succeed } = await manageFirstToken()
  const refusal = manager.rejectToken('token-1')
  await succeed({ accessToken: 'token-1' })
  t.equal(await refusal, undefined)
})

t.test('if a refused token is not the current one, the current one is returned without an exchange', async t => {
  const { manager, startedAtMs } = await manageFirstToken()
  t.equal(await manager.rejectToken('token-0'), 'token-1')
  t.equal(startedAtMs.length, 1)
})

t.test('a refusal during a renewal waits for it, and does not count as a forced renewal', async t => {
  const { manager, clock, startedAtMs, reports, succeed } = await manageFirstToken()
  await clock.advance(2_700_000)
  const refusal = manager.rejectToken('token-1')
  await succeed()
  t.equal(await refusal, 'token-2')
  t.match(reports[1], { reason: 'scheduled' })
  const forced = manager.rejectToken('token-2')
  await succeed()
  t.equal(await forced, 'token-3')
  t.match(reports[2], { reason: 'rejected' })
  t.equal(startedAtMs.length, 3)
})

t.test('a refusal before the first token waits for it', async t => {
  const { manager, succeed } = manageToken()
  manager.start()
  const refusal = manager.rejectToken('token-0')
  await succeed()
  t.equal(await refusal, 'token-1')
})
