// The second table: other response sizes, documents and connection counts, the cost of logging, start-up time and memory.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
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
import { usageOf } from './process-usage.ts'
import { startProcess } from './processes.ts'
import { untilServing } from './until-serving.ts'
import { GRAPHQL_PATH } from './upstream.ts'

/** A row of the second table. */
export type VariationResult = { title: string; contender: string; measurement: Measurement }

/** Median time of sequential requests on one connection, in ms, by contender; `direct` is the upstream without a gateway. */
export type OneConnection = ReadonlyMap<string, number>

/** Start-up time and memory of the service, in ms and MiB. */
export type Footprint = {
  coldStartMs: number
  idleMiB: number
  /** Undefined if it was skipped. */
  loaded: { requests: number; residentMiB: number; peakMiB: number } | undefined
}

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

const COLD_STARTS = 5
const LOAD_STEP_SECONDS = 10

/** Measures the service's start-up time and memory. */
export async function measureFootprint(bench: Bench): Promise<Footprint> {
  const starts: number[] = []
  for (let n = 0; n < COLD_STARTS; n++) starts.push(await coldStartMs(bench, n))
  const { tools, options } = bench
  return withContender(bench, contenderNamed('ours'), {}, async ({ url, pid }) => {
    const idleMiB = usageOf(pid).residentMiB
    let requests = 0
    while (requests < options.memoryRequests) {
      const plan = { url, connections: CONNECTIONS, seconds: LOAD_STEP_SECONDS, documents: 'same' as const, withToken: false }
      requests += (await applyLoad(tools, plan)).requests
    }
    const { residentMiB, peakMiB } = usageOf(pid)
    return { coldStartMs: median(starts), idleMiB, loaded: requests > 0 ? { requests, residentMiB, peakMiB } : undefined }
  })
}

/** From the start of the process to its first response. */
async function coldStartMs({ tools, upstream, cognito, folder }: Bench, n: number): Promise<number> {
  const at = { tools, upstream: upstream.origin + GRAPHQL_PATH, cognito, folder: join(folder, `start-${n}`) }
  mkdirSync(at.folder)
  const port = await freePort()
  const spec = await contenderNamed('ours').spec(at, port)
  const startedAtMs = performance.now()
  const started = startProcess(spec, tools.canPin)
  try {
    await untilServing(started, `http://127.0.0.1:${port}/health/live`, response => response.status === 200)
    return performance.now() - startedAtMs
  } finally {
    await started.stop()
  }
}
