// Ten thousand random requests; `node bench/fuzz.ts` sends a million.
import t from 'tap'
import { fuzz } from './support/fuzz-run.ts'

const COUNT = 10_000
const SEED = 20_260_101

t.test('random requests cause no 5xx of our own, every error has our shape, and Hasura receives only authorised requests', async t => {
  const { requests, rawRequests, withoutRight, hasuraCalls, codes } = await fuzz(COUNT, SEED)
  t.comment(
    `${requests} requests, ${rawRequests} of them raw bytes, ${withoutRight} without a right; Hasura was called ${hasuraCalls} times`
  )
  t.ok(requests >= COUNT)
  // Without these, the fuzzer would not reach the code that it tests.
  t.ok(withoutRight > 1_000 && rawRequests > 200 && hasuraCalls > 500)
  for (const code of ['INVALID_JSON', 'INVALID_REQUEST', 'GRAPHQL_PARSE_FAILED', 'UNAUTHENTICATED', 'NOT_FOUND', 'TOKEN_UNAVAILABLE'])
    t.ok(codes.has(code), code)
})
