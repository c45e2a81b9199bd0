// Trying again in the background: at growing distances, until it succeeds or is told to end.
import t from 'tap'
import { FIRST_RETRY_MS, MAX_RETRY_MS, retryUntilDone } from '../../src/stored-operations/retry-until.ts'

/** Runs with timers that fire when the test says so. */
function retry(outcomes: (Error | undefined)[], random: number) {
  const delays: number[] = []
  let fire = () => {}
  let isCancelled = false
  let attempts = 0
  let last = Promise.resolve()
  const stop = retryUntilDone({
    attempt: () => {
      const outcome = outcomes[attempts++]
      last = outcome ? Promise.reject(outcome) : Promise.resolve()
      return last
    },
    onFailure: (_, retryInMs) => delays.push(retryInMs),
    setTimer: callback => {
      fire = callback
      return () => {
        isCancelled = true
      }
    },
    random: () => random
  })
  const settle = async () => {
    await last.catch(() => {})
    await new Promise(setImmediate)
  }
  return { delays, stop, settle, fire: () => fire(), attempts: () => attempts, isCancelled: () => isCancelled }
}

t.test('the distance doubles up to a bound, and half of it is drawn', async t => {
  for (const [random, share] of [
    [0, 0.5],
    [1, 1]
  ] as const) {
    const retried = retry(Array(12).fill(new Error('no')), random)
    for (let i = 0; i < 12; i++) {
      await retried.settle()
      if (i < 11) retried.fire()
    }
    t.strictSame(
      retried.delays,
      Array.from({ length: 12 }, (_, n) => Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** n) * share)
    )
  }
})

t.test('success ends it', async t => {
  const retried = retry([new Error('no'), undefined], 0)
  await retried.settle()
  retried.fire()
  await retried.settle()
  t.equal(retried.attempts(), 2)
  t.strictSame(retried.delays, [FIRST_RETRY_MS / 2])
})

t.test('being stopped ends the wait, and a failure that comes later is not told', async t => {
  const waiting = retry([new Error('no')], 0)
  await waiting.settle()
  waiting.stop()
  t.ok(waiting.isCancelled())
  const underWay = retry([new Error('no')], 0)
  underWay.stop()
  await underWay.settle()
  t.strictSame(underWay.delays, [])
})
