// A bounded run of the differential fuzz against undici; `node bench/http-fuzz.ts` runs it for as long as one likes.
import t from 'tap'
import { fuzzHttp } from '../support/http-fuzz.ts'

const ANSWERS = 1_000
/** A seed that is always the same: what fails here fails again. */
const SEED = 20_261_125

t.test('what this client accepts undici accepts too, with the same body, but for the reasons listed', async t => {
  const { wrong, bothAccept, listed } = await fuzzHttp(ANSWERS, SEED)
  t.strictSame(wrong, [])
  t.ok(bothAccept > ANSWERS / 10, `${bothAccept} answers were accepted by both`)
  t.ok(listed > 0, `${listed} were accepted here alone, for a reason that is listed`)
})
