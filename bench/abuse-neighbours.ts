// The throughput of a good caller while another one abuses the service: one table, a few seconds for each kind of abuse.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { startService } from './abuse-service.ts'
import { percentile } from './measure.ts'

const SECONDS = 3
const GOOD_CONNECTIONS = 4
/** Connections to Hasura: few, so that callers must share them. */
const HASURA_CONNECTIONS = '8'
const QUERY = '{"query":"{ a }"}'
const FLOATS = `[${'1.5,'.repeat(249_999)}1.5]`

const headOf = (path: string, length: number, key: string) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`

/** One kind of abuse: what each of its connections repeats until the time is over. */
type Kind = { name: string; connections: number; act: (socket: Socket) => Promise<void> }

const write = async (socket: Socket, text: string) => {
  if (!socket.write(text)) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
}

const KINDS: readonly Kind[] = [
  { name: 'none', connections: 0, act: async () => {} },
  {
    name: '2,000 pipelined requests at a time, answers read',
    connections: 4,
    act: async socket => {
      socket.resume()
      await write(socket, (headOf('/execute-graphql', QUERY.length, 'hog') + QUERY).repeat(2_000))
      await setTimeout(100)
    }
  },
  {
    name: '340 bodies of 1 MB that lack their last byte',
    connections: 340,
    act: async socket => {
      await write(socket, headOf('/execute-graphql', 1_000_000, 'hog') + 'x'.repeat(999_999))
      await setTimeout(500)
      socket.destroy()
    }
  },
  {
    name: '1 MB of floats to a route that does not exist, without a key',
    connections: 4,
    act: async socket => {
      socket.resume()
      await write(socket, headOf('/nope', FLOATS.length, 'nobody') + FLOATS)
      await setTimeout(10)
    }
  },
  {
    name: '64 readers of 10 MB that read nothing',
    connections: 64,
    act: async socket => {
      socket.pause()
      await write(socket, `${headOf('/execute-graphql', 21, 'hog')}{"query":"{ large }"}`)
      await setTimeout(SECONDS * 1_000)
    }
  },
  { name: '2,000 idle connections', connections: 2_000, act: async () => void (await setTimeout(SECONDS * 1_000)) }
]

/** Sends good requests one after the other until the time is over; returns the duration of each, in ms. */
async function callWell(url: string, untilMs: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const took: number[] = []
  while (performance.now() < untilMs) {
    const startedAtMs = performance.now()
    const headers = { 'content-type': 'application/json', 'x-api-key': 'good' }
    const isOk = await new Promise<boolean>(resolve => {
      const call = request(`${url}/execute-graphql`, { method: 'POST', agent, headers }, answer => {
        answer.resume().on('end', () => resolve(answer.statusCode === 200))
      })
      call.on('error', () => resolve(false)).end(QUERY)
    })
    if (isOk) took.push(performance.now() - startedAtMs)
  }
  agent.destroy()
  return took
}

/** Runs the abuse on connections until the time is over, and reopens a connection that the service closes. */
async function abuse({ connections, act }: Kind, port: number, untilMs: number): Promise<void> {
  const one = async () => {
    let socket: Socket | undefined
    while (performance.now() < untilMs) {
      if (socket === undefined || socket.destroyed) {
        socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        await Promise.race([once(socket, 'connect').catch(() => {}), setTimeout(1_000)])
      }
      await act(socket).catch(() => {})
      await setTimeout(1)
    }
    socket?.destroy()
  }
  await Promise.all(Array.from({ length: connections }, one))
}

/** The part of the child process. */
async function actAs(name: string | undefined, port: string | undefined): Promise<void> {
  const kind = KINDS.find(each => each.name === name)
  if (kind) await abuse(kind, Number(port), performance.now() + (SECONDS + 10) * 1_000)
}

/** Prints a row for each kind of abuse. */
export async function measureNeighbours(folder: string, cognito: string, hasura: string): Promise<void> {
  console.log('\n| abuse | good requests per second | their p99, ms |\n| --- | --- | --- |')
  for (const kind of KINDS) {
    const settings = { GRAPHQL_CONNECTIONS: HASURA_CONNECTIONS, CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: `${folder}/callers.json` }
    const service = await startService(folder, cognito, hasura, settings)
    // A separate process, so that the abuse does not slow down the good caller's process.
    const abuser = fork(import.meta.filename, ['abuse', kind.name, new URL(service.url).port])
    const ended = once(abuser, 'exit')
    await setTimeout(1_000)
    const untilMs = performance.now() + SECONDS * 1_000
    const started = performance.now()
    const took = (await Promise.all(Array.from({ length: GOOD_CONNECTIONS }, () => callWell(service.url, untilMs)))).flat()
    const seconds = (performance.now() - started) / 1_000
    abuser.kill()
    await ended
    service.stop()
    console.log(`| ${kind.name} | ${Math.round(took.length / seconds)} | ${percentile(took, 0.99).toFixed(1)} |`)
  }
}

if (process.argv[2] === 'abuse') await actAs(process.argv[3], process.argv[4])
