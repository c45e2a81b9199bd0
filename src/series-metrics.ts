// Metrics of what happens with every request. prom-client looks a series up by a text that it makes of all labels each time; here it is
// found by the labels' values themselves, at a fraction of the price.
import type { Metric, Registry } from 'prom-client'

type LabelValue = string | number | undefined

/** What prom-client's registry is given at a scrape. */
type Sample = { labels: Record<string, string | number>; value: number; metricName?: string }

/** A counter's series. */
export type Count = { value: number }

/** A histogram's series. */
export class Distribution {
  sum = 0
  count = 0
  /** How many values fell between a bound and the one before it. */
  readonly buckets: number[]
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.buckets = bounds.map(() => 0)
  }

  /** Takes in one value. */
  observe(value: number): void {
    this.sum += value
    this.count += 1
    const bucket = this.#bounds.findIndex(bound => value <= bound)
    if (bucket >= 0) this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
  }
}

/** A metric of up to three labels, in the form that prom-client's registry asks for. */
class SeriesMetric<Series> {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'histogram'
  readonly aggregator = 'sum'
  readonly labelNames: readonly string[]
  readonly #make: () => Series
  readonly #samplesOf: (labels: Sample['labels'], series: Series) => Sample[]
  readonly #byFirst = new Map<LabelValue, Map<LabelValue, Map<LabelValue, Series>>>()

  constructor(
    { name, help, type, labelNames = [] }: { name: string; help: string; type: 'counter' | 'histogram'; labelNames?: readonly string[] },
    make: () => Series,
    samplesOf: (labels: Sample['labels'], series: Series) => Sample[]
  ) {
    this.name = name
    this.help = help
    this.type = type
    this.labelNames = labelNames
    this.#make = make
    this.#samplesOf = samplesOf
  }

  /** The series of these values of the labels, in their order; a label without a value is left out of it. */
  of(first?: LabelValue, second?: LabelValue, third?: LabelValue): Series {
    const bySecond = getOrMake(this.#byFirst, first, () => new Map<LabelValue, Map<LabelValue, Series>>())
    const byThird = getOrMake(bySecond, second, () => new Map<LabelValue, Series>())
    return getOrMake(byThird, third, this.#make)
  }

  /** Called by the registry at each scrape. */
  async get() {
    const { name, help, type, aggregator } = this
    const values: Sample[] = []
    for (const [first, bySecond] of this.#byFirst)
      for (const [second, byThird] of bySecond)
        for (const [third, series] of byThird) values.push(...this.#samplesOf(this.#labels([first, second, third]), series))
    return { name, help, type, aggregator, values }
  }

  #labels(values: readonly LabelValue[]): Sample['labels'] {
    const pairs = this.labelNames.map((name, n) => [name, values[n]] as const)
    return Object.fromEntries(pairs.filter((pair): pair is readonly [string, string | number] => pair[1] !== undefined))
  }
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

/** What a metric is made with. */
export type SeriesMetricOptions = { name: string; help: string; labelNames?: readonly string[]; registry: Registry }

/** Makes a counter. */
export function createSeriesCounter({ registry, ...options }: SeriesMetricOptions) {
  const make = (): Count => ({ value: 0 })
  return registered(registry, new SeriesMetric({ ...options, type: 'counter' }, make, (labels, { value }) => [{ labels, value }]))
}

/**
 * Makes a histogram.
 * @param bounds upper bounds of its buckets, rising
 */
export function createSeriesHistogram({ registry, bounds, ...options }: SeriesMetricOptions & { bounds: readonly number[] }) {
  const { name } = options
  return registered(
    registry,
    new SeriesMetric(
      { ...options, type: 'histogram' },
      () => new Distribution(bounds),
      (labels, { buckets, count, sum }) => {
        let below = 0
        const cumulative = bounds.map((le, n): Sample => {
          below += buckets[n] ?? 0
          return { labels: { le, ...labels }, value: below, metricName: `${name}_bucket` }
        })
        return [
          ...cumulative,
          { labels: { le: '+Inf', ...labels }, value: count, metricName: `${name}_bucket` },
          { labels, value: sum, metricName: `${name}_sum` },
          { labels, value: count, metricName: `${name}_count` }
        ]
      }
    )
  )
}

/** prom-client asks a metric for its name and for `get`, though its type names its own classes. */
function registered<Series>(registry: Registry, metric: SeriesMetric<Series>): SeriesMetric<Series> {
  registry.registerMetric(metric as unknown as Metric)
  return metric
}
