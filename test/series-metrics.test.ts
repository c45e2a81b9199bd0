// The same numbers as prom-client's own metrics give, line by line.
import fc from 'fast-check'
import { Counter, Histogram, Registry } from 'prom-client'
import t from 'tap'
import { createSeriesCounter, createSeriesHistogram } from '../src/series-metrics.ts'

const BOUNDS = [0.001, 0.5, 1]
const label = fc.constantFrom('a', 'b "quoted"', 'c\\\n')
const value = fc.oneof(fc.constantFrom(0, ...BOUNDS, 2), fc.double({ min: 0, max: 5, noNaN: true }))

const linesOf = async (registry: Registry) => (await registry.metrics()).trim().split('\n').sort()

t.test('a histogram is the one that prom-client would make', async t => {
  await t.resolves(
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(label, fc.integer({ min: 200, max: 202 }), value)), async observations => {
        const options = { name: 'h', help: 'A histogram.', labelNames: ['text', 'number'] }
        const [registry, other] = [new Registry(), new Registry()]
        const ours = createSeriesHistogram({ ...options, bounds: BOUNDS, registry })
        const theirs = new Histogram({ ...options, buckets: BOUNDS, registers: [other] })
        for (const [text, number, value] of observations) {
          ours.of(text, number).observe(value)
          theirs.observe({ text, number }, value)
        }
        return JSON.stringify(await linesOf(registry)) === JSON.stringify(await linesOf(other))
      })
    )
  )
})

t.test('a counter is the one that prom-client would make; a label without a value is left out', async t => {
  await t.resolves(
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(label, label, fc.option(label, { nil: undefined }))), async counts => {
        const options = { name: 'c_total', help: 'A counter.', labelNames: ['one', 'two', 'three'] }
        const [registry, other] = [new Registry(), new Registry()]
        const ours = createSeriesCounter({ ...options, registry })
        const theirs = new Counter({ ...options, registers: [other] })
        for (const [one, two, three] of counts) {
          ours.of(one, two, three).value += 1
          theirs.inc({ one, two, ...(three !== undefined && { three }) })
        }
        return JSON.stringify(await linesOf(registry)) === JSON.stringify(await linesOf(other))
      })
    )
  )
})

t.test('a histogram without labels is there before anything was observed, as prom-client’s is', async t => {
  const [registry, other] = [new Registry(), new Registry()]
  createSeriesHistogram({ name: 'h', help: 'A histogram.', bounds: BOUNDS, registry }).of()
  new Histogram({ name: 'h', help: 'A histogram.', buckets: BOUNDS, registers: [other] })
  t.strictSame(await linesOf(registry), await linesOf(other))
})
