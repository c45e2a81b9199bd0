// A Hasura in memory, with a fake clock: live queries, a streaming subscription, tokens that expire, connections that break.
import type { OpenTransport, TransportListener } from '../../src/subscriptions/transport.ts'
import type { FakeClock } from './fake-clock.ts'

type Message = { type: string; id?: string; payload?: unknown }
type Subscription = { id: string; query: string; variables: Record<string, unknown>; behind: number }

/** One connection as Hasura sees it. */
class MemoryConnection {
  readonly hasura: MemoryHasura
  readonly listener: TransportListener
  readonly latencyMs: number
  readonly subscriptions = new Map<string, Subscription>()
  readonly received: Message[] = []
  token = ''
  isAcked = false
  headers: Record<string, string> = {}
  closedWith: number | 'terminated' | undefined
  #isOver = false

  constructor(hasura: MemoryHasura, listener: TransportListener) {
    this.hasura = hasura
    this.listener = listener
    this.latencyMs = hasura.latencyMs()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** A message arrives after the network delay; none arrives once the connection has ended. */
  later(act: () => void): void {
    this.hasura.clock.setTimer(() => {
      if (!this.#isOver) act()
    }, this.latencyMs)
  }

  /** Sends a message, or any text, to the service. */
  send(message: Message | string): void {
    this.later(() => this.listener.onMessage(typeof message === 'string' ? message : JSON.stringify(message)))
  }

  /** Ends the connection: with a close frame, or without one as 1006. */
  end(code: number, fault?: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.hasura.connections.delete(this)
    this.subscriptions.clear()
    this.listener.onClose(code, fault)
  }

  /** The service closes it. */
  onEnd(how: number | 'terminated'): void {
    this.closedWith ??= how
    if (this.#isOver) return
    this.#isOver = true
    this.hasura.connections.delete(this)
    this.subscriptions.clear()
  }

  onText(text: string): void {
    const message: Message = JSON.parse(text)
    this.received.push(message)
    if (message.type === 'ping' && !this.hasura.isSilent) this.send({ type: 'pong' })
    else if (message.type === 'connection_init') this.#onInit(message)
    else if (message.type === 'subscribe' && message.id) this.#onSubscribe(message.id, message.payload as never)
    else if (message.type === 'complete' && message.id) this.subscriptions.delete(message.id)
  }

  #onInit({ payload }: Message): void {
    this.headers = (payload as { headers: Record<string, string> }).headers
    this.token = (this.headers.Authorization ?? '').replace('Bearer ', '')
    const expiresAtMs = this.hasura.tokens.get(this.token)
    if (expiresAtMs === undefined || expiresAtMs <= this.hasura.clock.nowMs()) {
      this.later(() => this.end(4403))
      return
    }
    // Hasura ends a connection at its token's expiry without a close frame.
    this.hasura.clock.setTimer(() => this.end(1006), expiresAtMs - this.hasura.clock.nowMs())
    if (this.hasura.isSilent) return
    this.later(() => {
      this.isAcked = true
      this.listener.onMessage('{"type":"connection_ack"}')
    })
  }

  #onSubscribe(id: string, { query, variables = {} }: { query: string; variables?: Record<string, unknown> }): void {
    const cursor = /initial_value:\s*\{\s*id:\s*(-?\d+)/.exec(query)
    this.subscriptions.set(id, { id, query, variables, behind: Number(cursor?.[1] ?? 0) })
    this.push()
  }

  /** Sends new data to each subscription. */
  push(): void {
    if (this.hasura.isSilent || this.hasura.isMute) return
    for (const subscription of this.subscriptions.values()) {
      if (subscription.query.includes('_stream')) this.#pushRows(subscription)
      else this.#pushState(subscription)
    }
  }

  #pushState(subscription: Subscription & { sent?: string }): void {
    const payload = this.hasura.answerTo(subscription.query)
    if (subscription.sent === payload) return
    subscription.sent = payload
    this.send(`{"type":"next","id":"${subscription.id}","payload":${payload}}`)
  }

  #pushRows(subscription: Subscription): void {
    for (;;) {
      const rows = this.hasura.rows.filter(id => id > subscription.behind).slice(0, this.hasura.batchSize)
      if (rows.length === 0) return
      subscription.behind = rows.at(-1) ?? 0
      const payload = `{"data":{"users_stream":[${rows.map(id => `{"id":${id}}`).join(',')}]}}`
      this.send(`{"type":"next","id":"${subscription.id}","payload":${payload}}`)
    }
  }
}

/** The Hasura in memory. */
export class MemoryHasura {
  readonly clock: FakeClock
  readonly connections = new Set<MemoryConnection>()
  /** Every connection so far, closed ones included. */
  readonly all: MemoryConnection[] = []
  /** Tokens, and when they expire on the clock. */
  readonly tokens = new Map<string, number>()
  readonly rows: number[] = []
  batchSize = 3
  state = 0
  isUp = true
  /** Accepts messages and answers none. */
  isSilent = false
  /** Answers pings, but no subscription. */
  isMute = false
  latencyMs: () => number = () => 1

  constructor(clock: FakeClock) {
    this.clock = clock
  }

  readonly open: OpenTransport = listener => {
    const connection = new MemoryConnection(this, listener)
    this.all.push(connection)
    this.connections.add(connection)
    this.clock.setTimer(() => {
      if (connection.isOver) return
      if (this.isUp) listener.onOpen()
      else connection.end(1006, 'connect ECONNREFUSED')
    }, connection.latencyMs)
    return {
      send: text => connection.later(() => connection.onText(text)),
      close: code => connection.onEnd(code),
      terminate: () => connection.onEnd('terminated')
    }
  }

  /** The current answer to a live query. */
  answerTo = (_query: string): string => `{"data":{"state":${this.state}}}`

  /** Changes the data. */
  change(state = this.state + 1): void {
    this.state = state
    for (const connection of this.connections) connection.push()
  }

  /** Adds rows to the stream. */
  append(count = 1): void {
    for (let n = 0; n < count; n++) this.rows.push(this.rows.length + 1)
    for (const connection of this.connections) connection.push()
  }

  /** Breaks every connection. */
  breakAll(code = 1012): void {
    for (const connection of [...this.connections]) connection.end(code)
  }

  /** Open subscriptions. */
  get subscriptionCount(): number {
    return [...this.connections].reduce((sum, { subscriptions }) => sum + subscriptions.size, 0)
  }
}
