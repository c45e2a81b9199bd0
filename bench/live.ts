// Event streams in numbers: `node bench/live.ts [streams …]`, 1000 and 10000 by default. Memory, fan-out, CPU, and a hand-over; Linux only.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type WebSocket, WebSocketServer } from 'ws'
import { sendJson } from '../test/support/fake-server.ts'
import { freePort } from '../test/support/free-port.ts'
import { environmentFor } from '../test/support/gateway.ts'
import { startFake } from './fakes.ts'
import { percentile } from './measure.ts'
import { usageOf } from './process-usage.ts'
import { type RunningProcess, startProcess, stopAll } from './processes.ts'
import { untilServing } from './until-serving.ts'

const STREAMS = process.argv.slice(2).map(Number)
const LIVE_QUERIES = [1, 100]
/** Hasura's answers in each run. */
const PUSHES = 20
const PUSH_INTERVAL_MS = 500
/** How many connections are opened at once. */
const CONNECTING = 100
/** The lifetime of tokens in the renewal run, in s; renewal happens at about 75 % of it. */
const SHORT_LIFE_SECONDS = 8
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A Hasura that answers each subscription with `{"data":{"n":<count>}}` and a row of text, at once and at each push. */
function startHasura() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'graphql-transport-ws' })
  const open = new Map<WebSocket, Set<string>>()
  const tokens: string[] = []
  const hasura = {
    count: 0,
    tokens,
    get subscriptions() {
      return [...open.values()].reduce((sum, ids) => sum + ids.size, 0)
    },
    port: () => (server.address() as { port: number }).port,
    ready: once(server, 'listening'),
    push() {
      hasura.count += 1
      for (const [socket, ids] of open) for (const id of ids) socket.send(answer(id))
    },
    close() {
      for (const socket of open.keys()) socket.terminate()
      server.close()
    }
  }
  const answer = (id: string) => `{"type":"next","id":"${id}","payload":{"data":{"n":${hasura.count},"text":"${'x'.repeat(200)}"}}}`
  server.on('connection', socket => {
    open.set(socket, new Set())
    socket.on('close', () => open.delete(socket))
    socket.on('message', data => {
      const { type, id, payload } = JSON.parse(data.toString())
      if (type === 'connection_init') {
        tokens.push(payload.headers.Authorization)
        socket.send('{"type":"connection_ack"}')
      } else if (type === 'subscribe') {
        open.get(socket)?.add(id)
        socket.send(answer(id))
      } else if (type === 'complete') open.get(socket)?.delete(id)
      else if (type === 'ping') socket.send('{"type":"pong"}')
    })
  })
  return hasura
}

/** One caller: the counts that it has received, and when it received the latest. */
type Caller = { socket: Socket; counts: number[]; lastAtMs: number }

/** Opens a stream and resolves with its first event. */
function openStream(port: number, query: string): Promise<Caller> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const caller: Caller = { socket, counts: [], lastAtMs: 0 }
    socket.write(`GET /execute-graphql?query=${encodeURIComponent(query)} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n`)
    socket.setEncoding('latin1').on('error', reject)
    socket.on('data', (text: unknown) => {
      for (const [, count] of String(text).matchAll(/"n":(\d+)/g)) caller.counts.push(Number(count))
      caller.lastAtMs = performance.now()
      if (caller.counts.length > 0) resolve(caller)
    })
  })
}

async function openStreams(port: number, count: number, queries: number): Promise<Caller[]> {
  const callers: Caller[] = []
  while (callers.length < count) {
    const batch = Math.min(CONNECTING, count - callers.length)
    const opened = Array.from({ length: batch }, (_, n) => openStream(port, `subscription Q${(callers.length + n) % queries} { n }`))
    callers.push(...(await Promise.all(opened)))
  }
  return callers
}

async function startService(settings: Record<string, string>): Promise<{ service: RunningProcess; port: number }> {
  const port = await freePort()
  const service = startProcess(
    {
      command: process.execPath,
      args: ['src/server.ts'],
      core: 'service',
      cwd: ROOT,
      output: join(tmpdir(), `live-${port}.log`),
      env: {
        ...settings,
        PORT: String(port),
        GRAPHQL_ALLOWED_OPERATIONS: 'query,subscription',
        SUBSCRIPTIONS_MAX: '100000',
        MAX_CONNECTIONS: '100000',
        LOG_LEVEL: 'warn'
      }
    },
    true
  )
  await untilServing(service, `http://127.0.0.1:${port}/health/ready`, ({ status }) => status === 200)
  return { service, port }
}

const round = (value: number) => Math.round(value * 10) / 10

async function measureFanOut(streams: number, queries: number, settings: Record<string, string>, hasura: ReturnType<typeof startHasura>) {
  const { service, port } = await startService(settings)
  const idle = usageOf(service.pid).residentMiB
  const callers = await openStreams(port, streams, queries)
  await pause(2_000)
  const full = usageOf(service.pid)
  const lastMs: number[] = []
  const allMs: number[] = []
  for (let n = 0; n < PUSHES; n++) {
    const startedAtMs = performance.now()
    hasura.push()
    await pause(PUSH_INTERVAL_MS)
    while (callers.some(({ counts }) => counts.at(-1) !== hasura.count)) await pause(50)
    const delays = callers.map(({ lastAtMs }) => lastAtMs - startedAtMs)
    allMs.push(...delays)
    lastMs.push(Math.max(...delays))
  }
  const cpuMicroseconds = usageOf(service.pid).cpuMicroseconds - full.cpuMicroseconds
  const row = {
    streams,
    'live queries': queries,
    'at Hasura': hasura.subscriptions,
    'KiB a stream': round(((full.residentMiB - idle) * 1024) / streams),
    'event p50 ms': round(percentile(allMs, 0.5)),
    'event p99 ms': round(percentile(allMs, 0.99)),
    'last event p50 ms': round(percentile(lastMs, 0.5)),
    'last event p99 ms': round(percentile(lastMs, 0.99)),
    'CPU ms for 10,000 events': round(cpuMicroseconds / 1_000 / ((streams * PUSHES) / 10_000))
  }
  for (const { socket } of callers) socket.destroy()
  await service.stop()
  return row
}

/** Renews the token under streams while Hasura keeps answering: which answers each caller missed, and its longest pause. */
async function measureHandOver(streams: number, settings: Record<string, string>, hasura: ReturnType<typeof startHasura>) {
  const { service, port } = await startService(settings)
  const callers = await openStreams(port, streams, 1)
  const renewals = hasura.tokens.length
  hasura.push()
  await pause(1_000)
  // From here on, so that opening the other streams does not count as a pause.
  hasura.push()
  await pause(50)
  const firstAtMs = performance.now()
  const longest = callers.map(() => 0)
  const seen = callers.map(({ lastAtMs }) => lastAtMs)
  let pushes = 2
  while (performance.now() - firstAtMs < SHORT_LIFE_SECONDS * 2_000) {
    hasura.push()
    pushes += 1
    await pause(50)
    callers.forEach(({ lastAtMs }, index) => {
      longest[index] = Math.max(longest[index] ?? 0, lastAtMs - (seen[index] ?? 0))
      seen[index] = lastAtMs
    })
  }
  await pause(1_000)
  const lost = callers.reduce((sum, { counts }) => sum + (hasura.count - new Set(counts).size + 1 - (counts[0] ?? 0)), 0)
  const twice = callers.reduce((sum, { counts }) => sum + counts.length - new Set(counts).size, 0)
  for (const { socket } of callers) socket.destroy()
  await service.stop()
  return {
    streams,
    'answers of Hasura': pushes,
    renewals: hasura.tokens.length - renewals,
    'events lost': lost,
    'events twice': twice,
    'longest pause ms': round(Math.max(...longest))
  }
}

try {
  const hasura = startHasura()
  await hasura.ready
  let lifeSeconds = 3_600
  let tokens = 0
  const cognito = await startFake(response =>
    sendJson(response, { access_token: `token-${tokens++}`, expires_in: lifeSeconds, token_type: 'Bearer' })
  )
  const settings = environmentFor(cognito.url, `http://127.0.0.1:${hasura.port()}`)
  const rows = []
  for (const streams of STREAMS.length > 0 ? STREAMS : [1_000, 10_000])
    for (const queries of LIVE_QUERIES) rows.push(await measureFanOut(streams, queries, settings, hasura))
  console.table(rows)
  lifeSeconds = SHORT_LIFE_SECONDS
  console.table([await measureHandOver(1_000, settings, hasura)])
  hasura.close()
  cognito.close()
} finally {
  await stopAll()
}
