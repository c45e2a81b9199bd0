// Parsing Retry-After and Date.
import t from 'tap'
import { readHttpDate, readRetryAfter } from '../../src/cognito/retry-after.ts'

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

t.test('an asctime date is not read in the local time zone', async t => {
  const zone = process.env.TZ
  process.env.TZ = 'Pacific/Auckland'
  t.teardown(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  t.equal(readHttpDate('Sun Nov  6 08:49:37 1994'), Date.UTC(1994, 10, 6, 8, 49, 37))
})
