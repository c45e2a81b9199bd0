// An exchange that collects its answer, and a pool with an upstream that the test controls.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import type { AnswerHead } from '../../src/http1/answer-head.ts'
import type { Connection, Exchange } from '../../src/http1/connection.ts'
import { type Chance, ConnectionPool } from '../../src/http1/connection-pool.ts'
import { startRawUpstream } from './raw-upstream.ts'

/** An answer with its whole body, one character per byte. */
export type Whole = { status: number; head: AnswerHead; body: string }

/** One exchange that collects its answer. */
export class Collected implements Exchange {
  readonly head: string
  readonly body: string
  isOver = false
  connection: Connection | undefined
  readonly sent: Promise<Connection>
  readonly answered: Promise<AnswerHead>
  readonly whole: Promise<Whole>
  #head: AnswerHead | undefined
  #chunks: Buffer[] = []
  #onSent: (connection: Connection) => void = () => {}
  #onAnswered: (head: AnswerHead) => void = () => {}
  #resolve: (whole: Whole) => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(body = 'x', head = 'POST / HTTP/1.1\r\nhost: h\r\n') {
    this.head = head
    this.body = body
    this.sent = new Promise(resolve => {
      this.#onSent = resolve
    })
    this.answered = new Promise(resolve => {
      this.#onAnswered = resolve
    })
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.whole.catch(() => {})
  }

  onSent(connection: Connection): void {
    this.connection = connection
    this.#onSent(connection)
  }

  onHead(head: AnswerHead): void {
    this.#head = head
    this.#onAnswered(head)
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk))
  }

  onEnd(): void {
    if (this.#head) this.#resolve({ status: this.#head.status, head: this.#head, body: Buffer.concat(this.#chunks).toString('latin1') })
  }

  onError(error: Error): void {
    this.#reject(error)
  }
}

/** A small answer. */
export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

/** Answers with {@link OK}. */
export const answersOk = (socket: Socket): void => void socket.write(OK, 'latin1')

/** Starts both; they stop at the end of the test. */
export async function poolFor(
  t: Test,
  onRequest: (socket: Socket, request: string, count: number) => void,
  connections = 1,
  hostname = '127.0.0.1',
  chance?: Chance
) {
  const upstream = await startRawUpstream(onRequest)
  const pool = new ConnectionPool({ isSecure: false, hostname, port: upstream.port, connectTimeoutMs: 5000 }, connections, chance)
  t.teardown(async () => {
    pool.close()
    await upstream.close()
  })
  const start = (exchange = new Collected()) => {
    pool.send(exchange)
    return exchange
  }
  const ask = (body?: string) => start(new Collected(body)).whole
  /** Resolves when the service has closed the latest connection. */
  const closed = async () => {
    for (const socket of upstream.sockets) if (!socket.destroyed) await once(socket, 'close')
  }
  return { upstream, pool, start, ask, closed }
}
