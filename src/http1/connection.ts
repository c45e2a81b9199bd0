// One connection to Hasura: HTTP/1.1 (RFC 9112), one request after the other, never a second before the first is answered.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type AnswerHead, couldBeAnswer, HEAD_MAX_BYTES, KEEP_ALIVE_MS, ProtocolError, parseAnswerHead } from './answer-head.ts'
import { ChunkedBody } from './chunked-body.ts'

/** Where connections lead. */
export type Target = {
  isSecure: boolean
  hostname: string
  port: number
  /** The longest that making one may take, in ms. */
  connectTimeoutMs: number
}

/** One request, and what is told of it: that it goes out, then its answer, then its end or an error, which is the last. */
export interface Exchange {
  /** Request line and header fields, each with its line break, without `content-length`. */
  readonly head: string
  readonly body: string
  /** Whether nobody waits for it any more: then it is not sent. */
  readonly isOver: boolean
  onSent(connection: Connection): void
  onHead(head: AnswerHead): void
  onData(chunk: Buffer): void
  onEnd(): void
  onError(error: Error): void
}

/** What a connection tells its pool. */
export type ConnectionEvents = {
  onIdle(connection: Connection): void
  onClose(connection: Connection): void
  /** A TLS session that later connections may resume. */
  onSession(session: Buffer): void
}

const HEAD_END = '\r\n\r\n'

/** What any connection has read last; whoever keeps some of it makes a copy. Reading never interrupts the use of what was read before. */
const readBytes = Buffer.allocUnsafeSlow(65_536)

/** A connection: it is made for one exchange, and then serves others. */
export class Connection {
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  #exchange: Exchange | undefined
  #usableUntilMs = 0
  #error: Error | undefined
  #heldHead = ''
  #head: AnswerHead | undefined
  #remaining = 0
  #chunked: ChunkedBody | undefined

  constructor(target: Target, session: Buffer | undefined, first: Exchange, events: ConnectionEvents) {
    this.#exchange = first
    this.#events = events
    this.#socket = openSocket(target, session, length => this.#onRead(length))
    const overdue = () => this.destroy(new Error(`no connection within ${target.connectTimeoutMs} ms`))
    const timer = setTimeout(overdue, target.connectTimeoutMs)
    this.#socket
      .once(target.isSecure ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        if (first.isOver) this.#rest(KEEP_ALIVE_MS)
        else this.send(first)
      })
      .on('session', session => events.onSession(session))
      .on('error', error => {
        this.#error ??= error
      })
      .once('end', () => this.#onEnd())
      .once('close', () => {
        clearTimeout(timer)
        events.onClose(this)
        this.#exchange?.onError(this.#error ?? new Error('the connection was closed'))
      })
  }

  /** Whether it is idle and may serve the next request. */
  isUsableAt(nowMs: number): boolean {
    return nowMs < this.#usableUntilMs && !this.#socket.destroyed
  }

  /** Sends a request and reads its answer; for a connection that is idle. */
  send(exchange: Exchange): void {
    this.#exchange = exchange
    this.#usableUntilMs = 0
    exchange.onSent(this)
    const { head, body } = exchange
    const length = Buffer.byteLength(body)
    const start = `${head}content-length: ${length}\r\n\r\n`
    // One write costs half of two; where every character is one byte, head and body are of one encoding.
    if (length === body.length) this.#socket.write(start + body, 'latin1')
    else this.#socket.write(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(body)]))
  }

  /** Whether it is not read for now. */
  get isPaused(): boolean {
    return this.#socket.isPaused()
  }

  /** Stops reading, so that the other side has to wait. */
  pause(): void {
    this.#socket.pause()
  }

  /** Goes on reading. */
  resume(): void {
    this.#socket.resume()
  }

  /** Gives up what is under way, of which nothing more is told. */
  abort(): void {
    this.#exchange = undefined
    this.destroy()
  }

  /** Cuts the connection; what is under way fails. */
  destroy(error?: Error): void {
    this.#usableUntilMs = 0
    this.#socket.destroy(error)
  }

  #onRead(length: number): void {
    const exchange = this.#exchange
    // Nobody asked: it is no answer to whatever is asked next.
    if (exchange === undefined) this.destroy()
    else this.#readAnswer(exchange, length)
  }

  #readAnswer(exchange: Exchange, length: number): void {
    try {
      const bodyStart = this.#head === undefined ? this.#readHead(exchange, length) : 0
      if (bodyStart !== undefined) this.#readBody(exchange, bodyStart, length)
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  /** Reads as far as the head goes, and gives where the body starts; undefined while the head is not whole. */
  #readHead(exchange: Exchange, length: number): number | undefined {
    const text = this.#heldHead + readBytes.toString('latin1', 0, length)
    let from = 0
    for (;;) {
      const end = text.indexOf(HEAD_END, from)
      const size = (end < 0 ? text.length : end) - from
      if (size > HEAD_MAX_BYTES) throw new ProtocolError('endless head')
      if (end < 0) break
      const head = parseAnswerHead(text.slice(from, end + 2))
      from = end + HEAD_END.length
      if (head.status === 101) throw new ProtocolError('nobody asked for another protocol')
      // What comes before the answer itself (RFC 9110, section 15.2) is of no use here.
      if (head.status < 200) continue
      const bodyStart = from - this.#heldHead.length
      this.#heldHead = ''
      this.#head = head
      this.#remaining = head.bodyLength
      this.#chunked = head.isChunked ? new ChunkedBody() : undefined
      exchange.onHead(head)
      return bodyStart
    }
    this.#heldHead = text.slice(from)
    if (!couldBeAnswer(this.#heldHead)) throw new ProtocolError('no HTTP/1.x')
    return undefined
  }

  #readBody(exchange: Exchange, from: number, length: number): void {
    let end: number
    let isOver: boolean
    let rest: number
    if (this.#chunked) {
      end = this.#chunked.decode(readBytes, from, length)
      isOver = this.#chunked.isDone
      rest = length - this.#chunked.endsAt
    } else {
      end = Math.min(length, from + this.#remaining)
      this.#remaining -= end - from
      isOver = this.#remaining === 0
      rest = length - end
    }
    if (end > from) exchange.onData(copyOf(from, end))
    if (isOver && this.#exchange === exchange) this.#finish(exchange, rest === 0)
  }

  /** The other side has closed: some answers end so; any other has broken off, and what is left of a request need not go out. */
  #onEnd(): void {
    const exchange = this.#exchange
    const endsHere = this.#head && this.#chunked === undefined && this.#remaining === Number.POSITIVE_INFINITY
    if (exchange && endsHere) this.#finish(exchange, false)
    else this.destroy()
  }

  /** @param isClean whether nothing came after the answer */
  #finish(exchange: Exchange, isClean: boolean): void {
    const keepAliveMs = this.#head?.keepAliveMs ?? 0
    this.#exchange = undefined
    this.#head = undefined
    this.#chunked = undefined
    exchange.onEnd()
    // An answer that came before its request was out leaves the rest of the request in the way.
    if (isClean && keepAliveMs > 0 && this.#socket.writableLength === 0) this.#rest(keepAliveMs)
    else this.destroy()
  }

  #rest(keepAliveMs: number): void {
    this.#exchange = undefined
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#usableUntilMs = performance.now() + keepAliveMs
    this.#events.onIdle(this)
  }
}

function copyOf(from: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - from)
  readBytes.copy(copy, 0, from, end)
  return copy
}

function openSocket({ isSecure, hostname, port }: Target, session: Buffer | undefined, onRead: (length: number) => void): Socket {
  const callback = (length: number) => {
    onRead(length)
    return true
  }
  const onread = { buffer: readBytes, callback }
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const options = { host, port, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }
  if (!isSecure) return connectTcp(options)
  // A name to ask for is a name, never an address (RFC 6066, section 3).
  return connectTls({ ...options, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ['http/1.1'], ...(session && { session }) })
}

/** After so long without traffic the kernel asks whether the other side is still there, in ms. */
const TCP_KEEP_ALIVE_MS = 60_000
