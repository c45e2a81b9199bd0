// The service in a separate process, with a minimal Cognito and Hasura, to measure abuse.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { buildApp } from '../src/app.ts'
import { loadSettings, readEnvironment } from '../src/settings.ts'
import { sendJson } from '../test/support/fake-server.ts'
import { environmentFor } from '../test/support/gateway.ts'
import { startFake } from './fakes.ts'

/** The callers that the service knows if it requires keys: each one's key is its name. */
const CALLERS = ['good', 'hog']

/** What the service used since the last report, in ms. */
export type Cost = { cpuMs: number; delayMs: number }

/** The child process: the service, which reports its usage on request. */
async function serve(): Promise<void> {
  const app = await buildApp(await loadSettings(readEnvironment('')))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await app.tokenManager.getToken()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  let spent = process.cpuUsage()
  process.on('message', async () => {
    // A timer records the delay, after the turn that was delayed.
    await setTimeout(5)
    const { user, system } = process.cpuUsage(spent)
    process.send?.({ cpuMs: (user + system) / 1000, delayMs: delay.max / 1e6 })
    delay.reset()
    spent = process.cpuUsage()
  })
  process.on('disconnect', () => process.exit())
  process.send?.(url)
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const LARGE = `{"data":{"large":"${'x'.repeat(10_000_000)}"}}`

/** A Hasura that answers a query for `large` with 10 MB, and every other one with a few bytes after 2 ms. */
export const startHasura = () =>
  startFake((response, _, body) => {
    if (body.slice(0, 100).includes('large')) sendJson(response, LARGE)
    else void setTimeout(2).then(() => sendJson(response, '{"data":{"a":1}}'))
  })

export async function startService(folder: string, cognito: string, hasura: string, settings: Record<string, string> = {}) {
  writeFileSync(join(folder, 'schema.graphql'), 'input w { _not: w id: [Int] any: any } scalar any type Query { a(w: w): Int }')
  const operations = join(folder, 'operations')
  mkdirSync(operations, { recursive: true })
  writeFileSync(join(operations, 'any.graphql'), 'query Any($where: w) { a(w: $where) }')
  writeFileSync(join(folder, 'callers.json'), JSON.stringify({ callers: CALLERS.map(name => ({ name, keySha256: [sha256(name)] })) }))
  const child = fork(import.meta.filename, ['service'], {
    cwd: folder,
    env: environmentFor(cognito, hasura, {
      OPERATIONS_DIR: operations,
      HASURA_SCHEMA_FILE: join(folder, 'schema.graphql'),
      LOG_LEVEL: 'silent',
      ...settings
    })
  })
  child.once('exit', code => code && process.exit(code))
  const [url]: string[] = await once(child, 'message')
  return {
    url: url ?? '',
    async cost(): Promise<Cost> {
      child.send('cost')
      const [cost]: Cost[] = await once(child, 'message')
      return cost ?? { cpuMs: Number.NaN, delayMs: Number.NaN }
    },
    stop: () => child.disconnect()
  }
}

if (process.argv[2] === 'service') await serve()
