// What the worst bodies cost: `node bench/abuse.ts` prints a table of CPU and of the longest delay of the event loop for each.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { buildApp } from '../src/app.ts'
import { loadSettings } from '../src/settings.ts'
import { ABUSES, type Abuse, DOCUMENTS } from './abuse-bodies.ts'
import { startCognito } from './cognito.ts'

const ROUNDS = 7
const AT_ONCE = 20

/** What the service spent since it was asked last, in ms. */
type Cost = { cpuMs: number; delayMs: number }

/** The part of the child process: the service, which tells what it spent each time it is asked. */
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
    // The delay is noted by a timer, which comes after the turn that was held up.
    await setTimeout(5)
    const { user, system } = process.cpuUsage(spent)
    process.send?.({ cpuMs: (user + system) / 1000, delayMs: delay.max / 1e6 })
    delay.reset()
    spent = process.cpuUsage()
  })
  process.on('disconnect', () => process.exit())
  process.send?.(url)
}

/** A Hasura that reads everything and answers the same. */
async function startHasura() {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"a":1}}'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

async function startService(folder: string, cognito: string, hasura: string) {
  writeFileSync(join(folder, 'schema.graphql'), 'input w { _not: w id: [Int] any: any } scalar any type Query { a(w: w): Int }')
  const operations = join(folder, 'operations')
  mkdirSync(operations)
  writeFileSync(join(operations, 'any.graphql'), 'query Any($where: w) { a(w: $where) }')
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
      LOG_LEVEL: 'silent'
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

async function post(url: string, { path, body, headers }: Omit<Abuse, 'name'>): Promise<string> {
  const answer = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
  const text = await answer.text()
  return `${answer.status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`.trim()
}

const row = (name: string, { cpuMs, delayMs }: Cost, answer: string) =>
  console.log(`| ${name} | ${cpuMs.toFixed(1)} | ${delayMs.toFixed(1)} | ${answer} |`)

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'abuse-'))
  const [cognito, hasura] = await Promise.all([startCognito(), startHasura()])
  const service = await startService(folder, cognito.url, hasura.url)
  console.log(`| body | CPU, ms | longest delay, ms | answer |\n| --- | --- | --- | --- |`)
  for (const abuse of ABUSES) {
    const costs: Cost[] = []
    let answer = ''
    for (let n = 0; n < ROUNDS; n++) {
      await service.cost()
      answer = await post(service.url, abuse)
      costs.push(await service.cost())
    }
    // The least of several: what else the machine does only adds.
    row(abuse.name, { cpuMs: Math.min(...costs.map(cost => cost.cpuMs)), delayMs: Math.min(...costs.map(cost => cost.delayMs)) }, answer)
  }
  await service.cost()
  const answers = new Set<string>()
  for (let n = 0; n < DOCUMENTS.length; n += AT_ONCE) {
    const bodies = DOCUMENTS.slice(n, n + AT_ONCE)
    for (const answer of await Promise.all(bodies.map(body => post(service.url, { path: '/execute-graphql', body })))) answers.add(answer)
  }
  const { cpuMs, delayMs } = await service.cost()
  row(`5,000 different documents, each`, { cpuMs: cpuMs / DOCUMENTS.length, delayMs }, [...answers].join(', '))
  service.stop()
  hasura.close()
  await cognito.close()
  rmSync(folder, { recursive: true })
}

await (process.argv[2] === 'service' ? serve() : run())
