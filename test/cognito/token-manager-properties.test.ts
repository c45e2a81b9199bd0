// The rules of the token manager under random lifetimes, failures, sleeps and requests.
import fc from 'fast-check'
import t from 'tap'
import type { ExchangeFaultCode } from '../../src/cognito/exchange-error.ts'
import { type Step, TokenModel, type Turn } from '../support/token-model.ts'

const CODES: ExchangeFaultCode[] = [
  'invalid_client',
  'secret_unreadable',
  'throttled',
  'server_error',
  'timeout',
  'unreachable',
  'invalid_response'
]
const MIN_LIFETIME_SECONDS = 2

const durationMs = fc.integer({ min: 0, max: 9_999 })
const lifetimeSeconds = fc.oneof(
  fc.constantFrom(5, 300, 3_600, 86_400),
  fc.double({ min: MIN_LIFETIME_SECONDS, max: 100_000, noNaN: true })
)
const success: fc.Arbitrary<Turn> = fc.record({ durationMs, lifetimeSeconds })
const failure: fc.Arbitrary<Turn> = fc.record(
  { durationMs, code: fc.constantFrom(...CODES), retryAfterMs: fc.integer({ min: 0, max: 400_000 }) },
  { requiredKeys: ['durationMs', 'code'] }
)
const turns = fc.array(fc.oneof(success, failure), { minLength: 1, maxLength: 12 })
const passingTime = fc.oneof(
  fc.integer({ min: 0, max: 12_000 }),
  fc.integer({ min: 0, max: 400_000 }),
  fc.integer({ min: 0, max: 9_000_000 })
)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: passingTime }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: passingTime }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('request' as const, 'refuse' as const, 'refuse-old' as const),
        ms: fc.integer({ min: 0, max: 8_000 })
      })
    }
  ),
  { minLength: 1, maxLength: 60 }
)
const random = fc.double({ min: 0.05, max: 0.999, noNaN: true })

/** Runs the generated steps; the model asserts its rules on the way. */
async function runModel(turns: Turn[], steps: Step[], random: number): Promise<TokenModel> {
  const model = new TokenModel(turns, random)
  await model.run(steps)
  return model
}

t.test(
  'there is one exchange at a time, none too early, and no wait while the token is usable or after the request’s own time',
  async t => {
    let exchanges = 0
    const property = fc.asyncProperty(turns, steps, random, async (...drawn) => {
      const model = await runModel(...drawn)
      model.manager.stop()
      exchanges += model.exchanges
    })
    await t.resolves(fc.assert(property, { numRuns: 500 }))
    t.ok(exchanges > 1_000, `${exchanges} exchanges were seen`)
  }
)

t.test('after any finite series of failures, the next valid answer restores service', async t => {
  const property = fc.asyncProperty(fc.array(failure, { minLength: 1, maxLength: 20 }), steps, random, async (...drawn) => {
    const { manager, turns, clock } = await runModel(...drawn)
    turns.splice(0, turns.length, { durationMs: 9_999, lifetimeSeconds: 3_600 })
    // The exchange in progress, the longest possible wait, and the successful exchange.
    await clock.advance(9_999 + 300_000 + 9_999)
    const token = manager.getToken()
    manager.stop()
    return typeof token === 'string' && manager.status().consecutiveFailures === 0 && manager.status().lastFailure === undefined
  })
  await t.resolves(fc.assert(property, { numRuns: 300 }))
})

t.test('exchanges never exceed what the shortest wait and the forced renewals allow', async t => {
  const property = fc.asyncProperty(turns, steps, random, async (turns, steps, random) => {
    const { manager, clock, exchanges, forced } = await runModel(turns, steps, random)
    manager.stop()
    const shortestGapMs = Math.min(MIN_LIFETIME_SECONDS * 700, 1_000 * random)
    return forced <= 1 + clock.nowMs() / 30_000 && exchanges <= 1 + clock.nowMs() / shortestGapMs + forced
  })
  await t.resolves(fc.assert(property, { numRuns: 300 }))
})
