// What abuse costs: `node bench/abuse.ts` prints a table of the worst bodies, and one of what a good caller gets during each abuse.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ABUSES, type Abuse, DOCUMENTS } from './abuse-bodies.ts'
import { measureNeighbours } from './abuse-neighbours.ts'
import { type Cost, startHasura, startService } from './abuse-service.ts'
import { startCognito } from './fakes.ts'

const ROUNDS = 7
const AT_ONCE = 20

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
    // The minimum of several: other work on the machine only adds time.
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
  await measureNeighbours(folder, cognito.url, hasura.url)
  hasura.close()
  cognito.close()
  rmSync(folder, { recursive: true })
}

await run()
