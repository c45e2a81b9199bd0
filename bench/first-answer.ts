// The time of the first answered query of a starting process; uses bare sockets, so that polling takes almost no CPU time from it.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningProcess } from './processes.ts'
import { REQUEST_BODY, SMALL_ANSWER } from './workload.ts'

const START_TIMEOUT_MS = 60_000
const RETRY_MS = 1

/**
 * Connects and posts until a query is answered with the upstream's response, and returns the time by `performance.now()`.
 * @throws {Error} if the process ends, or a minute has passed
 */
export async function untilFirstAnswer(process: RunningProcess, port: number): Promise<number> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS
  while (!(await isAnswered(port))) {
    process.assertAlive()
    if (performance.now() > deadlineMs) throw new Error(`no query was answered within ${START_TIMEOUT_MS} ms`)
    await sleep(RETRY_MS)
  }
  return performance.now()
}

const REQUEST = [
  'POST /execute-graphql HTTP/1.1',
  'host: 127.0.0.1',
  'connection: close',
  'content-type: application/json',
  `content-length: ${Buffer.byteLength(REQUEST_BODY)}`,
  '',
  REQUEST_BODY
].join('\r\n')

function isAnswered(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST))
    let answer = ''
    socket.setEncoding('utf8').on('data', chunk => {
      answer += chunk
      if (!answer.endsWith(SMALL_ANSWER)) return
      resolve(true)
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(false))
  })
}
