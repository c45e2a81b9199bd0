// A bounded run of the differential fuzz against undici; `node bench/http-fuzz.ts` runs it for longer.
import t from 'tap'
import { fuzzHttp } from '../support/http-fuzz.ts'

const ANSWERS = 1_000
/** A fixed seed, so that failures repeat. */
const SEED = 20_261_125

t.test('undici accepts everything that this client accepts, with the same body, except for the listed reasons', async t => {
  const { wrong, bothAccept, listed } = await fuzzHttp(ANSWERS, SEED)
  t.strictSame(wrong, [])
  t.ok(bothAccept > ANSWERS / 10, `${bothAccept} answers were accepted by both`)
  t.ok(listed > 0, `${listed} were accepted here alone, for a reason that is listed`)
})
