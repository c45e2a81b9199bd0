// The rules of the hand-over under random renewals, answers, breaks and readers.
import fc from 'fast-check'
import t from 'tap'
import { OUTAGE_MAX_MS, type Step, SubscriptionModel } from '../support/subscription-model.ts'

const passing = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 100_000 }))
const reader = fc.nat(50)
const step = <T extends object>(name: Step['do'], rest: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record({ do: fc.constant(name), ...rest }) as unknown as fc.Arbitrary<Step>
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: step('advance', { ms: passing }) },
    { weight: 5, arbitrary: step('change', { to: fc.nat(3) }) },
    { weight: 4, arbitrary: step('append', { rows: fc.integer({ min: 1, max: 8 }) }) },
    { weight: 4, arbitrary: step('renew', {}) },
    { weight: 1, arbitrary: step('refuse', {}) },
    { weight: 3, arbitrary: step('break', { code: fc.constantFrom(1000, 1001, 1006, 1012, 1013, 4408) }) },
    { weight: 3, arbitrary: step('join', {}) },
    { weight: 1, arbitrary: step('stream', {}) },
    { weight: 2, arbitrary: step('pause', { reader }) },
    { weight: 1, arbitrary: step('leave', { reader }) },
    { weight: 1, arbitrary: step('silence', { ms: fc.integer({ min: 0, max: OUTAGE_MAX_MS }) }) },
    { weight: 1, arbitrary: step('outage', { ms: fc.integer({ min: 0, max: OUTAGE_MAX_MS }) }) }
  ),
  { minLength: 20, maxLength: 60, size: 'max' }
)
const random = fc.double({ min: 0, max: 0.999, noNaN: true })
const latencies = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 8 })

t.test('there is no gap in state, no repeated answer, no error, and every row arrives once and in order', async t => {
  let handOvers = 0
  let breaks = 0
  let rows = 0
  const property = fc.asyncProperty(steps, random, latencies, async (steps, random, latencies) => {
    const model = new SubscriptionModel(random, latencies)
    await model.run([{ do: 'join' }, { do: 'stream' }, ...steps])
    handOvers += model.handOvers
    breaks += model.breaks
    rows += model.rows
  })
  await t.resolves(fc.assert(property, { numRuns: 400 }))
  t.ok(handOvers > 400 && breaks > 400 && rows > 400, `${handOvers} hand-overs, ${breaks} breaks and ${rows} rows were seen`)
})
