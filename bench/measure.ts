// One measurement: start a contender, check it, warm it up, put load on it, read its usage and stop it.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { CONTENDERS, type Contender, startContender } from './contenders.ts'
import { applyLoad, type LoadResult } from './load.ts'
import type { BenchOptions } from './options.ts'
import { usageOf } from './process-usage.ts'
import type { Tools } from './tools.ts'
import { GRAPHQL_PATH, type Upstream } from './upstream.ts'
import { ANSWER_SIZES, type AnswerName, answerOf, type DocumentMix, SMALL_ANSWER } from './workload.ts'

/** What all measurements in a run share. */
export type Bench = { options: BenchOptions; tools: Tools; upstream: Upstream; cognito: string; folder: string }

/** How a measurement differs from the standard one: small responses, one document, 64 connections, default settings. */
export type Variation = {
  answer?: AnswerName
  documents?: DocumentMix
  connections?: number
  settings?: Readonly<Record<string, string>>
}

/** The measured figures; a latency is the time that a caller waits. */
export type Measurement = {
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** CPU time of the contender for one request, in µs. */
  cpuMicroseconds: number
  /** The contender's peak memory, in MiB. */
  peakMiB: number
}

/** Connections of the standard measurement. */
export const CONNECTIONS = 64

let starts = 0

/** Finds a contender by name. */
export function contenderNamed(name: string): Contender {
  const found = CONTENDERS.find(contender => contender.name === name)
  if (found === undefined)
    throw new RangeError(`there is no contender ${name}; choose from ${CONTENDERS.map(each => each.name).join(', ')}`)
  return found
}

/** Starts a contender, lets `use` work with it, and stops it. */
export async function withContender<T>(
  bench: Bench,
  contender: Contender,
  variation: Variation,
  use: (running: { url: string; pid: number; expected: string }) => Promise<T>
): Promise<T> {
  const { tools, cognito } = bench
  const { answer, settings } = variation
  const expected = answer ? answerOf(ANSWER_SIZES[answer]) : SMALL_ANSWER
  const upstream = bench.upstream.origin + (answer ? `/v1/${answer}` : GRAPHQL_PATH)
  const folder = join(bench.folder, `${++starts}-${contender.name}`)
  const running = await startContender(contender, { tools, upstream, cognito, folder, ...(settings && { settings }) }, expected)
  try {
    const result = await use({ url: running.url, pid: running.process.pid, expected })
    running.process.assertAlive()
    return result
  } finally {
    await running.process.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Measures a contender once. */
export function measure(bench: Bench, contender: Contender, variation: Variation = {}): Promise<Measurement> {
  const { options, tools } = bench
  return withContender(bench, contender, variation, async ({ url, pid, expected }) => {
    const { connections = CONNECTIONS, documents = 'same' } = variation
    const plan = { url, connections, documents, withToken: false }
    if (options.warmUpSeconds > 0) await applyLoad(tools, { ...plan, seconds: options.warmUpSeconds })
    const before = usageOf(pid)
    const load = await applyLoad(tools, { ...plan, seconds: options.seconds })
    const after = usageOf(pid)
    assertWhole(load, expected)
    return {
      requestsPerSecond: load.requests / load.seconds,
      p50Ms: load.p50Ms,
      p99Ms: load.p99Ms,
      cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / load.requests,
      peakMiB: after.peakMiB
    }
  })
}

/** Checks that enough bytes arrived for that many responses, because a load generator does not look at bodies. */
function assertWhole({ requests, bytes }: LoadResult, expected: string): void {
  if (bytes < requests * expected.length) throw new Error(`${requests} responses contained only ${bytes} bytes`)
}

/** The median of each figure separately. */
export function medianOf(measurements: readonly Measurement[]): Measurement {
  const of = (key: keyof Measurement) => median(measurements.map(each => each[key]))
  return {
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMicroseconds: of('cpuMicroseconds'),
    peakMiB: of('peakMiB')
  }
}

/** The value below which a share of all values lies. NaN for an empty list. */
export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** The median, or the lower of the two middle values. NaN for an empty list. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? Number.NaN
}

/**
 * Measures several subjects in turn, round by round, so that other work on the machine affects them all alike.
 * A subject that fails is reported and skipped from then on.
 */
export async function inRounds<T>(
  rounds: number,
  names: readonly string[],
  measureOne: (name: string) => Promise<T>,
  failed: string[]
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(names.map(name => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const name of [...results.keys()]) {
      try {
        const result = await measureOne(name)
        results.get(name)?.push(result)
        console.log(`  round ${round}  ${name}  ${summaryOf(result)}`)
      } catch (error) {
        results.delete(name)
        failed.push(name)
        console.error(`  ${name} failed and is skipped from now on:`, error)
      }
    }
  }
  return results
}

function summaryOf(result: unknown): string {
  if (typeof result === 'number') return result.toFixed(3)
  const { requestsPerSecond, cpuMicroseconds } = result as Measurement
  return `${Math.round(requestsPerSecond)} requests/s  ${cpuMicroseconds.toFixed(1)} µs CPU`
}
