// Runs the service for minutes with tokens that last a few seconds and a Cognito that fails at random: `node bench/soak.ts [seconds]`, 300 by default.
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { buildApp } from '../src/app.ts'
import type { ExchangeReport } from '../src/cognito/token-status.ts'
import { loadSettings } from '../src/settings.ts'
import { sendJson } from '../test/support/fake-server.ts'
import { environmentFor } from '../test/support/gateway.ts'
import { collectGarbage } from './collect-garbage.ts'
import { type Handler, startFake } from './fakes.ts'

const SECONDS = Number(process.argv[2] ?? 300)
const REQUESTS_PER_SECOND = 100
const MOST_IN_FLIGHT = 200
/** The percentage of exchanges that fail transiently. */
const FAULT_PERCENT = 30
/** The percentage of exchanges that find the secret changed. */
const ROTATION_PERCENT = 5
/** A configuration error costs a minute of service, so a run has only one, half-way through, and only if it is at least this long. */
const CONFIGURATION_FAULT_FROM_SECONDS = 180
/** Valid tokens that Hasura refuses, per hundred thousand requests. */
const REVOCATIONS_PER_100_000 = 100

const OAUTH_ERRORS = ['invalid_grant', 'invalid_scope', 'invalid_request', 'unauthorized_client', 'unsupported_grant_type']

const PASSING_FAULTS: Handler[] = [
  response => response.writeHead(429, { 'retry-after': '1' }).end('Too many requests'),
  response => response.writeHead(429, { 'retry-after': new Date(Date.now() + 2_000).toUTCString() }).end(),
  response => sendJson(response, { __type: 'TooManyRequestsException' }, 400),
  response => response.writeHead(500).end(),
  response => response.writeHead(503, { 'content-type': 'text/html' }).end('<html>Service unavailable</html>'),
  response => response.writeHead(302, { location: '/elsewhere' }).end(),
  response => response.writeHead(200).end(),
  response => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>'),
  response => response.writeHead(200).end('{"access_token":"cut o'),
  response => sendJson(response, { access_token: 'eternal', token_type: 'Bearer' }),
  response => sendJson(response, { access_token: 'x'.repeat(100_000), expires_in: 4, token_type: 'Bearer' }),
  response => sendJson(response, { access_token: 'short', expires_in: 0.001, token_type: 'Bearer' }),
  response => response.destroy(),
  response => {
    response.writeHead(200, { 'content-length': 1_000 }).write('{"access_token":"')
    setTimeout(() => response.destroy(), 20)
  },
  // No response at all.
  () => {}
]

const endsAtMs = new Map<string, number>()
let tokens = 0
let secretInUse = 'first'
let configurationFaultAtMs = SECONDS >= CONFIGURATION_FAULT_FROM_SECONDS ? (SECONDS / 2) * 1000 : Number.POSITIVE_INFINITY

const answerCognito: Handler = (response, _, body) => {
  const chance = randomInt(100)
  if (chance < FAULT_PERCENT) return PASSING_FAULTS[randomInt(PASSING_FAULTS.length)]?.(response, _, body)
  if (performance.now() > configurationFaultAtMs) {
    configurationFaultAtMs = Number.POSITIVE_INFINITY
    return sendJson(response, { error: OAUTH_ERRORS[randomInt(OAUTH_ERRORS.length)] }, 400)
  }
  if (chance >= 100 - ROTATION_PERCENT) secretInUse = secretInUse === 'first' ? 'second' : 'first'
  if (new URLSearchParams(body).get('client_secret') !== secretInUse) return sendJson(response, { error: 'invalid_client' }, 400)
  const lifetimeSeconds = randomInt(2, 7)
  const token = `token-${tokens++}`
  endsAtMs.set(token, performance.now() + lifetimeSeconds * 1000)
  setTimeout(() => endsAtMs.delete(token), lifetimeSeconds * 1000)
  setTimeout(() => sendJson(response, { access_token: token, expires_in: lifetimeSeconds, token_type: 'Bearer' }), randomInt(500))
}

let expiredTokensSent = 0
const answerHasura: Handler = (response, { headers }) => {
  const token = headers.authorization?.slice('Bearer '.length) ?? ''
  if (endsAtMs.has(token) && randomInt(100_000) < REVOCATIONS_PER_100_000) endsAtMs.set(token, Number.POSITIVE_INFINITY)
  const endMs = endsAtMs.get(token)
  if (endMs === undefined) expiredTokensSent++
  if (endMs !== undefined && endMs !== Number.POSITIVE_INFINITY) return sendJson(response, { data: { ok: true } })
  sendJson(response, { errors: [{ extensions: { path: '$', code: 'invalid-jwt' }, message: 'Could not verify JWT: JWTExpired' }] })
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
const describe = (counts: Map<string, number>) => [...counts].map(([name, n]) => `${name} ${n}`).join(', ') || 'none'
const memory = () => {
  collectGarbage()
  const { heapUsed, rss } = process.memoryUsage()
  const inMiB = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  return { heap: inMiB(heapUsed), resident: inMiB(rss) }
}

const cognito = await startFake(answerCognito)
const hasura = await startFake(answerHasura)
const secrets = { AWS_COGNITO_APP_CLIENT_SECRET: 'first', AWS_COGNITO_APP_CLIENT_SECRET_FALLBACK: 'second' }
const app = await buildApp(await loadSettings(environmentFor(cognito.url, hasura.url, secrets)))
const exchanges = new Map<string, number>()
app.onTokenExchange(({ outcome }: ExchangeReport) => count(exchanges, outcome))
const pool = new Pool(await app.listen({ host: '127.0.0.1', port: 0 }), { connections: 32 })

let requests = 0
const failures = new Map<string, number>()
const inFlight = new Set<Promise<void>>()

async function send(): Promise<void> {
  requests++
  const headers = { 'content-type': 'application/json' }
  try {
    const { statusCode, body } = await pool.request({ method: 'POST', path: '/execute-graphql', headers, body: '{"query":"{ ok }"}' })
    const answer = (await body.json()) as { errors?: { extensions: { code: string } }[] }
    if (statusCode !== 200 || answer.errors) count(failures, answer.errors?.[0]?.extensions.code ?? String(statusCode))
  } catch (error) {
    count(failures, error instanceof Error ? error.name : 'unknown')
  }
}

async function run(seconds: number): Promise<void> {
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) {
    if (inFlight.size < MOST_IN_FLIGHT) {
      const request = send().finally(() => inFlight.delete(request))
      inFlight.add(request)
    }
    await pause(1000 / REQUESTS_PER_SECOND)
  }
  await Promise.all(inFlight)
}

const WARM_UP_SECONDS = 5
await run(WARM_UP_SECONDS)
const atStart = memory()
await run(SECONDS - WARM_UP_SECONDS)
const atEnd = memory()
console.log(
  `${SECONDS} s: ${requests} requests; failures: ${describe(failures)}; exchanges: ${describe(exchanges)}; tokens sent after their end: ` +
    `${expiredTokensSent}; heap in use ${atStart.heap} -> ${atEnd.heap} MiB, resident ${atStart.resident} -> ${atEnd.resident} MiB`
)
await pool.destroy()
await app.close()
cognito.close()
hasura.close()
