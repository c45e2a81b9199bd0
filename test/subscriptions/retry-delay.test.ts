// The wait before reconnecting to Hasura.
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
  t.test(`wait number ${attempt} is between 500 and ${mostMs} ms`, async t => {
    t.equal(retryDelayMs(attempt, 0, 120_000), 500)
    t.equal(Math.round(retryDelayMs(attempt, ALMOST_ONE, 120_000)), mostMs)
  })
}

t.test('no wait is longer than a quarter of the remaining time, or shorter than 500 ms', async t => {
  t.equal(Math.round(retryDelayMs(9, ALMOST_ONE, 30_000)), 7_500)
  t.equal(retryDelayMs(9, ALMOST_ONE, 100), 500)
})
