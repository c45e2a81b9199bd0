// The machine's clock, and work with a time limit.
import t from 'tap'
import { systemClock, within } from '../src/clock.ts'
import { FakeClock, settle } from './support/fake-clock.ts'

t.test('work that exceeds its time returns undefined, and a later failure is ignored', async t => {
  const clock = new FakeClock()
  const work = Promise.withResolvers<string>()
  const result = within(clock, 10, work.promise)
  await clock.advance(9)
  t.equal(await Promise.race([result, settle().then(() => 'waiting')]), 'waiting')
  await clock.advance(1)
  t.equal(await result, undefined)
  work.reject(new Error('too late'))
  await settle()
})

t.test('work that fails in time fails, and leaves no timer', async t => {
  const clock = new FakeClock()
  await t.rejects(within(clock, 10, Promise.reject(new Error('no'))), { message: 'no' })
  t.equal(clock.timers.size, 0)
})

t.test('work that ends in time returns its result, and leaves no timer', async t => {
  const clock = new FakeClock()
  t.equal(await within(clock, 10, Promise.resolve('done')), 'done')
  t.equal(clock.timers.size, 0)
})

t.test('the machine’s clock only moves forward, and knows the time of day', async t => {
  const beforeMs = systemClock.nowMs()
  t.ok(systemClock.nowMs() >= beforeMs)
  const [earliestMs, wallMs, latestMs] = [Date.now(), systemClock.wallMs(), Date.now()]
  t.ok(earliestMs <= wallMs && wallMs <= latestMs)
})

t.test('a timer fires once, and not after it is cancelled', async t => {
  let fired = 0
  const cancel = systemClock.setTimer(() => t.fail('it was called off'), 0)
  cancel()
  await new Promise<void>(resolve => {
    systemClock.setTimer(() => {
      fired += 1
      resolve()
    }, 1)
    // The clock's timers keep no process alive, so the test does.
    setImmediate(function wait() {
      if (fired === 0) setImmediate(wait)
    })
  })
  t.equal(fired, 1)
})
