// Refreshing in the background: after five minutes, sooner after a failure, at once on request, and never two at a time.
import t from 'tap'
import { FIRST_RETRY_MS, REFRESH_MS, startRefreshLoop } from '../../src/stored-operations/refresh-loop.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

/** A loop whose attempts end at once, or when the test calls `finish`. */
async function startLoop({ fails = () => false, waits = false, random = 1 }) {
  const clock = new FakeClock()
  const startedAtMs: number[] = []
  const delays: number[] = []
  const signals: AbortSignal[] = []
  let ending = Promise.withResolvers<void>()
  const loop = startRefreshLoop({
    async refresh(signal) {
      startedAtMs.push(clock.nowMs())
      signals.push(signal)
      ending = Promise.withResolvers()
      if (waits) await ending.promise
      if (fails()) throw new Error('no')
    },
    onFailure: (_, retryInMs) => delays.push(retryInMs),
    clock,
    random: () => random
  })
  await settle()
  return { clock, loop, startedAtMs, delays, signals, finish: () => ending.resolve() }
}

t.test('after failures the interval doubles up to five minutes, and half of it is random', async t => {
  for (const [random, share] of [
    [0, 0.5],
    [1, 1]
  ] as const) {
    const { clock, delays } = await startLoop({ fails: () => true, random })
    while (delays.length < 12) await clock.advance(REFRESH_MS)
    t.strictSame(
      delays.slice(0, 12),
      Array.from({ length: 12 }, (_, n) => Math.min(REFRESH_MS, FIRST_RETRY_MS * 2 ** n) * share)
    )
  }
})

t.test('after a success it repeats every five minutes, and the next failure counts as the first', async t => {
  let isBroken = true
  const { clock, startedAtMs, delays } = await startLoop({ fails: () => isBroken })
  isBroken = false
  await clock.advance(FIRST_RETRY_MS + REFRESH_MS)
  t.strictSame(startedAtMs, [0, FIRST_RETRY_MS, FIRST_RETRY_MS + REFRESH_MS])
  isBroken = true
  await clock.advance(REFRESH_MS)
  t.strictSame(delays, [FIRST_RETRY_MS, FIRST_RETRY_MS])
})

t.test('a request restarts it: the attempt in progress is aborted, and ends first', async t => {
  const { loop, startedAtMs, signals, finish, clock, delays } = await startLoop({ waits: true, fails: () => true })
  loop.refreshNow()
  loop.refreshNow()
  await settle()
  t.ok(signals[0]?.aborted)
  t.equal(startedAtMs.length, 1, 'one at a time')
  finish()
  await settle()
  t.equal(startedAtMs.length, 2, 'asked twice, it runs once')
  t.strictSame(delays, [], 'an attempt that was aborted has not failed')
  finish()
  await settle()
  t.strictSame(delays, [FIRST_RETRY_MS])
  await clock.advance(FIRST_RETRY_MS)
  t.equal(startedAtMs.length, 3)
})

t.test('stopping ends it for good', async t => {
  const waiting = await startLoop({})
  waiting.loop.stop()
  t.equal(waiting.clock.timers.size, 0)
  const underWay = await startLoop({ waits: true, fails: () => true })
  underWay.loop.stop()
  underWay.finish()
  await settle()
  t.strictSame([underWay.delays, underWay.clock.timers.size], [[], 0])
})
