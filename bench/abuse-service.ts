// The service in a separate process, with a minimal Cognito and Hasura, to measure abuse.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { buildApp } from '../src/app.ts'
import { loadSettings } from '../src/settings.ts'

/** The callers that the service knows if it requires keys: each one's key is its name. */
export const CALLERS = ['good', 'hog']

/** What the service used since the last report, in ms. */
export type Cost = { cpuMs: number; delayMs: number }

/** The child process: the service, which reports its usage on request. */
async function serve(): Promise<void> {
  const app = await buildApp(
    await loadSettings(Object.fromEntries(Object.entries(process.env).filter(entry => entry[1] !== undefined)) as Record<string, string>)
  )
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

/** A Hasura that reads everything and answers the same; a query for `large` gets 10 MB, every other one a few bytes after 2 ms. */
const LARGE = `{"data":{"large":"${'x'.repeat(10_000_000)}"}}`

export async function startHasura() {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      if (body.length < 100) body += chunk
    })
    request.on('end', async () => {
      const isLarge = body.includes('large')
      if (!isLarge) await setTimeout(2)
      response.writeHead(200, { 'content-type': 'application/json' }).end(isLarge ? LARGE : '{"data":{"a":1}}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

export async function startService(folder: string, cognito: string, hasura: string, settings: Record<string, string> = {}) {
  writeFileSync(join(folder, 'schema.graphql'), 'input w { _not: w id: [Int] any: any } scalar any type Query { a(w: w): Int }')
  const operations = join(folder, 'operations')
  mkdirSync(operations, { recursive: true })
  writeFileSync(join(operations, 'any.graphql'), 'query Any($where: w) { a(w: $where) }')
  writeFileSync(join(folder, 'callers.json'), JSON.stringify({ callers: CALLERS.map(name => ({ name, keySha256: [sha256(name)] })) }))
  const child = fork(import.meta.filename, ['service'], {
    cwd: folder,
    env: {
      AWS_COGNITO_DOMAIN: cognito,
      AWS_COGNITO_APP_CLIENT_ID: 'id',
      AWS_COGNITO_APP_CLIENT_SECRET: 'secret',
      GRAPHQL_ENDPOINT: `${hasura}/v1/graphql`,
      OPERATIONS_DIR: operations,
      HASURA_SCHEMA_FILE: join(folder, 'schema.graphql'),
      METRICS_PORT: '0',
      DOCS_ENABLED: 'false',
      LOG_LEVEL: 'silent',
      ...settings
    }
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
