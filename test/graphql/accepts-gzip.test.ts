// Which callers accept gzip.
import t from 'tap'
import { acceptsGzip } from '../../src/graphql/accepts-gzip.ts'

t.test('which Accept-Encoding headers accept gzip', async t => {
  const cases: [string | undefined, boolean][] = [
    [undefined, false],
    ['', false],
    ['identity', false],
    ['br', false],
    ['gzip;q=0', false],
    ['gzip', true],
    ['GZIP', true],
    ['br, gzip;q=0.5', true],
    ['*', true]
  ]
  cases.push([`gzip,${'a,'.repeat(10_000)}`, false])
  for (const [value, expected] of cases) t.equal(acceptsGzip(value), expected, String(value))
})
