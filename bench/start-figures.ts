// One start: the time to the first answered query, and the memory then and later.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sendJson } from '../test/support/fake-server.ts'
import { freePort } from '../test/support/free-port.ts'
import { type LoadedModules, RECORD_MODULES, readModules } from '../test/support/loaded-modules.ts'
import { startFake } from './fakes.ts'
import { untilFirstAnswer } from './first-answer.ts'
import { introspectionAnswer, writeOperations } from './large-schema.ts'
import { applyLoad } from './load.ts'
import { CONNECTIONS } from './measure.ts'
import { type MemoryParts, memoryParts } from './memory-parts.ts'
import type { Place } from './places.ts'
import { descendantsOf, usageOf } from './process-usage.ts'
import { startProcess } from './processes.ts'
import { BENCH_DIR, type Tools } from './tools.ts'
import { GRAPHQL_PATH } from './upstream.ts'
import { SMALL_ANSWER } from './workload.ts'

/** What all starts of a run share. */
export type Rig = { tools: Tools; cognito: string; upstream: string }

/** A start of the service: ms until the first answered query, and MiB resident then. */
export type Start = { ms: number; residentMiB: number }

/** Memory of one start over its life, in MiB. */
export type Life = {
  idleMiB: number
  idleParts: MemoryParts
  /** Undefined if the requests were skipped. */
  loaded: { requests: number; residentMiB: number; parts: MemoryParts; cpuMicroseconds: number } | undefined
}

/** Tables of the large schema, and s until memory is read. */
export const SCHEMA_TABLES = 100
export const SCHEMA_SECONDS = 8
const LOAD_STEP_SECONDS = 2
const REPORT_TIMEOUT_MS = 60_000
const REPORT_CHECK_MS = 20

/** Bare `node -e 0`, in ms from its start to its end. */
export async function timeBare(place: Place): Promise<number> {
  const startedAtMs = performance.now()
  const bare = startProcess(place.bare('0'), false)
  try {
    const code = await bare.ended
    if (code !== 0) throw new Error(`node -e 0 ended with ${code}`)
    return performance.now() - startedAtMs
  } finally {
    await bare.stop()
  }
}

/** Bare Node.js at rest, in MiB resident. */
export async function bareMiB(place: Place): Promise<number> {
  const bare = startProcess(place.bare('setInterval(() => {}, 1000)'), false)
  try {
    await sleep(1_000)
    return usageOf(innermost(bare.pid)).residentMiB
  } finally {
    await bare.stop()
  }
}

/** Times one start. */
export function timeStart(rig: Rig, place: Place): Promise<Start> {
  return withService(rig, place, {}, async ({ ms, pid }) => ({ ms, residentMiB: usageOf(pid).residentMiB }))
}

/** Follows one start: idle, and under load. */
export function followStart(rig: Rig, place: Place, idleSeconds: number, requests: number): Promise<Life> {
  const hook = join(BENCH_DIR, 'report-memory.js')
  return withService(rig, place, importing(hook), async ({ pid, port, ask }) => {
    const read = async () => {
      const { residentMiB, cpuMicroseconds } = usageOf(pid)
      return { residentMiB, cpuMicroseconds, parts: memoryParts(pid, await ask('memory')) }
    }
    await sleep(idleSeconds * 1000)
    const idle = await read()
    let answered = 0
    while (answered < requests) answered += (await load(rig, port)).requests
    const { cpuMicroseconds, ...after } = await read()
    const cpuOfOne = (cpuMicroseconds - idle.cpuMicroseconds) / answered
    const loaded = answered > 0 ? { requests: answered, cpuMicroseconds: cpuOfOne, ...after } : undefined
    return { idleMiB: idle.residentMiB, idleParts: idle.parts, loaded }
  })
}

function load({ tools }: Rig, port: number) {
  const url = `http://127.0.0.1:${port}/execute-graphql`
  return applyLoad(tools, { url, connections: CONNECTIONS, seconds: LOAD_STEP_SECONDS, documents: 'same', withToken: false })
}

/** Lists what one start loads up to its first answered query and shortly after it. */
export function listModules(rig: Rig, place: Place): Promise<LoadedModules> {
  return withService(rig, place, importing(RECORD_MODULES), async ({ ask }) => {
    const modules = readModules(`modules ${await ask('modules')}\n`)
    if (modules === undefined) throw new Error('the list of modules is missing')
    return modules
  })
}

/** MiB resident some seconds after a start with a large schema and a few stored operations. */
export async function measureLargeSchema(rig: Rig, place: Place): Promise<number> {
  const schema = introspectionAnswer(SCHEMA_TABLES)
  const hasura = await startFake((response, _, body) => sendJson(response, body.includes('__schema') ? schema : SMALL_ANSWER))
  const operations = place.newFolder()
  writeOperations(operations.here)
  try {
    const env = { GRAPHQL_ENDPOINT: hasura.url + GRAPHQL_PATH, OPERATIONS_DIR: operations.there }
    return await withService(rig, place, env, async ({ ms, pid }) => {
      await sleep(SCHEMA_SECONDS * 1000 - ms)
      return usageOf(pid).residentMiB
    })
  } finally {
    hasura.close()
    rmSync(operations.here, { recursive: true })
  }
}

/** JavaScript that every process of a start loads first. A data URL, because a container does not see the files of this machine. */
const importing = (path: string) => ({ NODE_OPTIONS: `--import=data:text/javascript;base64,${readFileSync(path, 'base64')}` })

/** A service that has answered: `ask` sends it SIGURG and returns the rest of the line that it then writes with that first word. */
type Service = { ms: number; pid: number; port: number; ask(word: string): Promise<string> }

async function withService<T>(
  { cognito, upstream }: Rig,
  place: Place,
  env: Readonly<Record<string, string>>,
  use: (service: Service) => Promise<T>
): Promise<T> {
  const port = await freePort()
  const spec = place.service({
    AWS_COGNITO_DOMAIN: cognito,
    AWS_COGNITO_APP_CLIENT_ID: 'bench',
    AWS_COGNITO_APP_CLIENT_SECRET: 'bench-secret',
    GRAPHQL_ENDPOINT: upstream,
    HOST: '127.0.0.1',
    PORT: String(port),
    METRICS_PORT: String(await freePort()),
    ...env
  })
  const startedAtMs = performance.now()
  const started = startProcess(spec, false)
  try {
    const ms = (await untilFirstAnswer(started, port)) - startedAtMs
    const pid = innermost(started.pid)
    const ask = async (word: string) => {
      const lines = () => [...readFileSync(spec.output, 'utf8').matchAll(new RegExp(`^${word} (.*)\\n`, 'gm'))].map(([, line = '']) => line)
      const before = lines().length
      process.kill(pid, 'SIGURG')
      for (const deadlineMs = performance.now() + REPORT_TIMEOUT_MS; performance.now() < deadlineMs; await sleep(REPORT_CHECK_MS)) {
        started.assertAlive()
        const line = lines()[before]
        if (line !== undefined) return line
      }
      throw new Error(`the service did not write its ${word}`)
    }
    const result = await use({ ms, pid, port, ask })
    started.assertAlive()
    return result
  } finally {
    await started.stop()
  }
}

/** The process that a wrapper such as nsenter(1) has started and waits for, or the process itself. */
const innermost = (pid: number) => descendantsOf(pid).at(-1) ?? pid
