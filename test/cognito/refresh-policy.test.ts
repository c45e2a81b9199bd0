// How long to wait after a failure, and what Retry-After means.
import t from 'tap'
import { readHttpDate, readRetryAfter, retryDelayMs } from '../../src/cognito/refresh-policy.ts'

for (const [random, waitMs] of [
  [0, 48_000],
  [0.5, 60_000],
  [1, 72_000]
] as const)
  t.test(`a fault of configuration drawn ${random} waits ${waitMs} ms, however often it came`, async t => {
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
  t.test(`the wait after passing failure ${failures} is drawn between 0 and ${longestMs} ms`, async t => {
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

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'
const WALL_MS = Date.UTC(1994, 10, 6, 8, 0, 0)

for (const [value, date, retryAfterMs] of [
  [undefined, DATE, undefined],
  ['', DATE, undefined],
  ['soon', DATE, undefined],
  ['-5', DATE, undefined],
  ['3000.5', DATE, undefined],
  ['120, 120', DATE, undefined],
  ['1994-11-06T09:00:00Z', DATE, undefined],
  ['0', DATE, 0],
  ['120', DATE, 120_000],
  [' 120 ', DATE, 120_000],
  ['9'.repeat(400), DATE, Number.POSITIVE_INFINITY],
  ['Sun, 06 Nov 1994 08:49:38 GMT', DATE, 1_000],
  ['Sunday, 06-Nov-94 08:49:38 GMT', DATE, 1_000],
  ['Sun Nov  6 08:49:38 1994', DATE, 1_000],
  ['Sun, 06 Nov 1994 08:49:36 GMT', DATE, 0],
  ['Sun, 06 Nov 1994 08:00:30 GMT', undefined, 30_000],
  ['Sun, 06 Nov 1994 08:00:30 GMT', 'yesterday', 30_000]
] as const)
  t.test(`Retry-After "${value?.slice(0, 40)}" beside Date "${date}" is ${retryAfterMs} ms`, async t => {
    t.equal(readRetryAfter(value, date, WALL_MS), retryAfterMs)
  })

t.test('a date of asctime is not read in the zone of this machine', async t => {
  const zone = process.env.TZ
  process.env.TZ = 'Pacific/Auckland'
  t.teardown(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  t.equal(readHttpDate('Sun Nov  6 08:49:37 1994'), Date.UTC(1994, 10, 6, 8, 49, 37))
})
