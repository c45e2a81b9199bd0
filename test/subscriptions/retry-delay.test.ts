// The wait before Hasura is asked for a connection again.
import t from 'tap'
import { retryDelayMs } from '../../src/subscriptions/retry-delay.ts'

const ALMOST_ONE = 1 - Number.EPSILON

for (const [attempt, mostMs] of [
  [1, 1_000],
  [2, 2_000],
  [5, 16_000],
  [6, 30_000],
  [2_000, 30_000]
] as const) {
  t.test(`the wait number ${attempt} is from 500 to ${mostMs} ms`, async t => {
    t.equal(retryDelayMs(attempt, 0, 120_000), 500)
    t.equal(Math.round(retryDelayMs(attempt, ALMOST_ONE, 120_000)), mostMs)
  })
}

t.test('no wait takes more than a quarter of the time that there is, or less than 500 ms', async t => {
  t.equal(Math.round(retryDelayMs(9, ALMOST_ONE, 30_000)), 7_500)
  t.equal(retryDelayMs(9, ALMOST_ONE, 100), 500)
})
