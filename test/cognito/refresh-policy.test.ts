// How long a token is fresh and usable, and how long to wait after a failure.
import t from 'tap'
import { retryDelayMs, zonesOf } from '../../src/cognito/refresh-policy.ts'

for (const [random, waitMs] of [
  [0, 48_000],
  [0.5, 60_000],
  [1, 72_000]
] as const)
  t.test(`after a configuration error with random ${random}, the wait is ${waitMs} ms, however often it happens`, async t => {
    for (const failures of [1, 2, 50]) t.equal(retryDelayMs('configuration', failures, undefined, random), waitMs)
    t.equal(retryDelayMs('configuration', 1, 300_000, random), waitMs)
  })

for (const [failures, longestMs] of [
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [4, 8_000],
  [5, 16_000],
  [6, 30_000],
  [7, 30_000],
  [5_000, 30_000]
] as const)
  t.test(`the wait after transient failure ${failures} is random between 0 and ${longestMs} ms`, async t => {
    t.equal(retryDelayMs('passing', failures, undefined, 0), 0)
    t.equal(retryDelayMs('passing', failures, undefined, 0.5), longestMs / 2)
    t.equal(retryDelayMs('passing', failures, undefined, 1), longestMs)
  })

for (const [title, retryAfterMs, waitMs] of [
  ['none keeps the back-off', undefined, 500],
  ['one shorter than the back-off changes nothing', 499, 500],
  ['one longer than the back-off is waited for', 501, 501],
  ['300 s are waited for', 300_000, 300_000],
  ['longer than 300 s is cut', 300_001, 300_000],
  ['one without end is cut', Number.POSITIVE_INFINITY, 300_000]
] as const)
  t.test(`Retry-After: ${title}`, async t => {
    t.equal(retryDelayMs('passing', 1, retryAfterMs, 0.5), waitMs)
  })

for (const [lifetimeMs, random, freshMs, usableMs] of [
  [3_600_000, 0, 2_520_000, 3_590_000],
  [3_600_000, 0.5, 2_700_000, 3_590_000],
  [3_600_000, 1, 2_880_000, 3_590_000],
  [300_000, 0.5, 225_000, 294_000],
  [86_400_000, 0.5, 64_800_000, 86_390_000]
] as const)
  t.test(`a token of ${lifetimeMs} ms with random ${random} is fresh for ${freshMs} ms and usable for ${usableMs} ms`, async t => {
    const zones = zonesOf(lifetimeMs, random)
    t.equal(Math.round(zones.freshMs), freshMs)
    t.equal(zones.usableMs, usableMs)
  })
