// The second table: other response sizes, documents and connection counts, and the cost of logging.
import { applyLoad } from './load.ts'
import {
  type Bench,
  CONNECTIONS,
  contenderNamed,
  inRounds,
  type Measurement,
  measure,
  median,
  medianOf,
  type Variation,
  withContender
} from './measure.ts'
import { GRAPHQL_PATH } from './upstream.ts'

/** A row of the second table. */
export type VariationResult = { title: string; contender: string; measurement: Measurement }

/** Median time of sequential requests on one connection, in ms, by contender; `direct` is the upstream without a gateway. */
export type OneConnection = ReadonlyMap<string, number>

const VARIATIONS: readonly { title: string; contenders: readonly string[]; variation: Variation }[] = [
  { title: 'as above', contenders: ['ours', 'floor'], variation: {} },
  { title: 'log level silent', contenders: ['ours'], variation: { settings: { LOG_LEVEL: 'silent' } } },
  { title: 'responses of 1 kB', contenders: ['ours', 'floor'], variation: { answer: '1kB' } },
  { title: 'responses of 100 kB', contenders: ['ours', 'floor'], variation: { answer: '100kB' } },
  { title: 'responses of 10 MB, 16 connections', contenders: ['ours', 'floor'], variation: { answer: '10MB', connections: 16 } },
  { title: '1,000 documents in turn', contenders: ['ours'], variation: { documents: 'thousand' } },
  { title: 'a new document every time', contenders: ['ours'], variation: { documents: 'new' } },
  { title: '256 connections', contenders: ['ours', 'floor'], variation: { connections: 256 } }
]

/** Measures the rows of the second table. */
export async function measureVariations(bench: Bench, failed: string[]): Promise<VariationResult[]> {
  const lines = VARIATIONS.flatMap(({ title, contenders, variation }) => contenders.map(contender => ({ title, contender, variation })))
  const byKey = new Map(lines.map(line => [`${line.title} (${line.contender})`, line]))
  const results = await inRounds(
    bench.options.rounds,
    [...byKey.keys()],
    key => {
      const line = byKey.get(key)
      return measure(bench, contenderNamed(line?.contender ?? ''), line?.variation)
    },
    failed
  )
  return [...results].flatMap(([key, measurements]) => {
    const line = byKey.get(key)
    return line ? [{ title: line.title, contender: line.contender, measurement: medianOf(measurements) }] : []
  })
}

/** Measures the time of a request on one connection, both directly to the upstream and through contenders. */
export async function measureOneConnection(bench: Bench, failed: string[]): Promise<OneConnection> {
  const { tools, upstream, options } = bench
  const p50 = async (url: string, withToken: boolean) => {
    const plan = { url, connections: 1, documents: 'same' as const, withToken }
    // The warm-up uses many connections: with one, much of the code would not be compiled yet.
    if (options.warmUpSeconds > 0) await applyLoad(tools, { ...plan, connections: CONNECTIONS, seconds: options.warmUpSeconds })
    return (await applyLoad(tools, { ...plan, seconds: options.seconds })).p50Ms
  }
  const names = ['direct', 'ours', 'floor', ...(tools.nginx ? ['nginx'] : [])]
  const results = await inRounds(
    options.rounds,
    names,
    name =>
      name === 'direct'
        ? p50(upstream.origin + GRAPHQL_PATH, true)
        : withContender(bench, contenderNamed(name), {}, ({ url }) => p50(url, false)),
    failed
  )
  return new Map([...results].map(([name, values]) => [name, median(values)]))
}
