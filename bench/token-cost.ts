// Measures what the token costs per request: `node bench/token-cost.ts`. Prints ns and bytes per getToken(), exchanges in a burst, and p99 during a refresh.
import { Pool } from 'undici'
import { buildApp } from '../src/app.ts'
import { createTokenEndpoint } from '../src/cognito/token-endpoint.ts'
import { TokenManager } from '../src/cognito/token-manager.ts'
import { loadSettings } from '../src/settings.ts'
import { sendJson } from '../test/support/fake-server.ts'
import { environmentFor } from '../test/support/gateway.ts'
import { collectGarbage } from './collect-garbage.ts'
import { type Handler, startFake } from './fakes.ts'
import { median, percentile } from './measure.ts'

const CALLS = 10_000_000
const ROUNDS = 7
const RUSH = 10_000
const LOAD_SECONDS = 20
const CONNECTIONS = 4
/** Token lifetime and duration of an exchange under load: a refresh is in progress for about a fifth of the time. */
const LIFETIME_SECONDS = 4
const EXCHANGE_MS = 600

let exchanges = 0
let underWay = 0
let exchangeMs = 50
let lifetimeSeconds = 3_600

const answerCognito: Handler = response => {
  exchanges++
  underWay++
  setTimeout(() => {
    underWay--
    sendJson(response, { access_token: `token-${exchanges}`, expires_in: lifetimeSeconds, token_type: 'Bearer' })
  }, exchangeMs)
}

const cognito = await startFake(answerCognito)
const hasura = await startFake(response => sendJson(response, { data: { ok: true } }))
const endpoint = createTokenEndpoint(cognito.url, { clientId: 'bench', scopes: [] })
const manager = new TokenManager({ exchange: () => endpoint.exchange('secret') })

async function rush(): Promise<void> {
  await Promise.all(Array.from({ length: RUSH }, () => manager.getToken()))
  console.log(`${RUSH} parallel cold requests: ${exchanges} exchange(s)`)
  const token = await manager.getToken()
  const before = exchanges
  await Promise.all(Array.from({ length: RUSH }, () => manager.rejectToken(token)))
  console.log(`${RUSH} parallel refusals of one token: ${exchanges - before} exchange(s)`)
}

function callMany(calls: number): number {
  let length = 0
  for (let n = 0; n < calls; n++) {
    const token = manager.getToken()
    if (typeof token === 'string') length += token.length
  }
  return length
}

function bytesOf(work: () => void): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  work()
  return process.memoryUsage().heapUsed - before
}

function measureCall(): void {
  callMany(CALLS)
  const nanoseconds = Array.from({ length: ROUNDS }, () => {
    const startedAt = process.hrtime.bigint()
    callMany(CALLS)
    return Number(process.hrtime.bigint() - startedAt) / CALLS
  })
  // Few enough calls that a number allocated by each would still be on the heap; the cost of measuring is subtracted.
  const calls = 500_000
  const bytes = Array.from({ length: ROUNDS }, () => (bytesOf(() => callMany(calls)) - bytesOf(() => callMany(0))) / calls)
  console.log(`getToken(): ${median(nanoseconds).toFixed(1)} ns, ${median(bytes).toFixed(3)} bytes (median of ${ROUNDS} rounds)`)
}

async function measureRefresh(): Promise<void> {
  exchangeMs = EXCHANGE_MS
  lifetimeSeconds = LIFETIME_SECONDS
  const app = await buildApp(await loadSettings(environmentFor(cognito.url, hasura.url)))
  const pool = new Pool(await app.listen({ host: '127.0.0.1', port: 0 }), { connections: CONNECTIONS })
  await app.tokenManager.getToken()
  const during: number[] = []
  const outside: number[] = []
  let failures = 0
  const startedAtMs = performance.now()
  const loop = async () => {
    while (performance.now() - startedAtMs < LOAD_SECONDS * 1000) {
      const wasUnderWay = underWay > 0
      const sentAtMs = performance.now()
      const headers = { 'content-type': 'application/json' }
      const { statusCode, body } = await pool.request({ method: 'POST', path: '/execute-graphql', headers, body: '{"query":"{ ok }"}' })
      await body.dump()
      if (statusCode !== 200) failures++
      // The first second warms up.
      if (sentAtMs - startedAtMs > 1_000) (wasUnderWay || underWay > 0 ? during : outside).push(performance.now() - sentAtMs)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, loop))
  for (const [name, times] of [
    ['outside a refresh', outside],
    ['during a refresh', during]
  ] as const) {
    console.log(
      `${name}: ${times.length} requests, p50 ${percentile(times, 0.5).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms`
    )
  }
  console.log(`failures: ${failures}`)
  await pool.destroy()
  await app.close()
}

await rush()
measureCall()
manager.stop()
await endpoint.close()
await measureRefresh()
cognito.close()
hasura.close()
