// Generates load on a URL with wrk, or with autocannon if wrk is not installed.
import { join } from 'node:path'
import { pinned, runToEnd } from './processes.ts'
import { BENCH_DIR, type Tools } from './tools.ts'
import { type DocumentMix, REQUEST_BODY, TOKEN } from './workload.ts'

/** The parameters of one load. */
type LoadPlan = {
  url: string
  connections: number
  seconds: number
  documents: DocumentMix
  /** Whether callers send the token themselves, as they must when they call the upstream directly. */
  withToken: boolean
}

/** The result of a load; a load with any failure has none. */
export type LoadResult = { requests: number; seconds: number; bytes: number; p50Ms: number; p99Ms: number }

const REQUEST_TIMEOUT_SECONDS = 30

/**
 * Runs one load to completion.
 * @throws {Error} if any request failed: no connection, broken, too late, or a status of 400 or above
 */
export async function applyLoad(tools: Tools, plan: LoadPlan): Promise<LoadResult> {
  const { failures, ...result } = tools.wrk ? await runWrk(tools, tools.wrk, plan) : await runAutocannon(tools, plan)
  if (failures > 0) throw new Error(`${failures} of ${result.requests} requests to ${plan.url} failed`)
  if (result.requests === 0) throw new Error(`no request to ${plan.url} was answered`)
  return result
}

type RawResult = LoadResult & { failures: number }

async function runWrk(tools: Tools, wrk: string, plan: LoadPlan): Promise<RawResult> {
  const { connections, seconds, documents } = plan
  const flags = ['-t1', `-c${connections}`, `-d${seconds}s`, `--timeout=${REQUEST_TIMEOUT_SECONDS}s`]
  const [command, args] = pinned(tools.canPin, 'load', wrk, [...flags, '-s', join(BENCH_DIR, 'wrk-post.lua'), plan.url])
  const authorization = plan.withToken ? { BENCH_AUTHORIZATION: `Bearer ${TOKEN}` } : {}
  const env = { ...authorization, BENCH_BODY: REQUEST_BODY, BENCH_DOCUMENTS: documents }
  const output = await runToEnd(command, args, env, endsWithinMs(seconds))
  return JSON.parse(/^BENCH (.*)$/m.exec(output)?.[1] ?? '') as RawResult
}

async function runAutocannon(tools: Tools, plan: LoadPlan): Promise<RawResult> {
  if (!tools.autocannon) throw new Error('neither wrk nor autocannon is installed')
  if (plan.documents === 'thousand') throw new Error('only wrk can send 1,000 documents in turn')
  const isNew = plan.documents === 'new'
  const body = isNew ? REQUEST_BODY.replace('Users', 'Users[<id>]') : REQUEST_BODY
  const headers = ['content-type=application/json', ...(plan.withToken ? [`authorization=Bearer ${TOKEN}`] : [])]
  const args = [
    ...[tools.autocannon, '--json', '--no-progress', '-m', 'POST', '-c', String(plan.connections), '-d', String(plan.seconds)],
    ...[...headers.flatMap(header => ['-H', header]), '-b', body, ...(isNew ? ['-I'] : []), plan.url]
  ]
  const [command, pinnedArgs] = pinned(tools.canPin, 'load', process.execPath, args)
  const output = await runToEnd(command, pinnedArgs, {}, endsWithinMs(plan.seconds))
  const { requests, duration, throughput, latency, errors, timeouts, non2xx } = JSON.parse(output) as AutocannonResult
  const failures = errors + timeouts + non2xx
  return { requests: requests.total, seconds: duration, bytes: throughput.total, p50Ms: latency.p50, p99Ms: latency.p99, failures }
}

type AutocannonResult = {
  requests: { total: number }
  throughput: { total: number }
  latency: { p50: number; p99: number }
  duration: number
  errors: number
  timeouts: number
  non2xx: number
}

const endsWithinMs = (seconds: number) => (seconds + REQUEST_TIMEOUT_SECONDS + 10) * 1000
