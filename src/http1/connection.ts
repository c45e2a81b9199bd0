// One connection: HTTP/1.1 (RFC 9112), one request after the other, never a second before the first is answered.
import type { Socket } from 'node:net'
import { type AnswerHead, couldBeAnswerHead, HEAD_MAX_BYTES, KEEP_ALIVE_MS, ProtocolError, parseAnswerHead } from './answer-head.ts'
import { ChunkedBody } from './chunked-body.ts'
import { openSocket, openSocketOver, readBytes, type Target } from './open-socket.ts'
import { openTunnel } from './tunnel.ts'

/** One request, and who is told of its fate: that it goes out, its answer, and last its end or an error. */
export interface Exchange {
  /** Request line and header fields, each with its line break, without `content-length`. */
  readonly head: string
  readonly body: string
  /** Whether nobody waits for the answer any more; then the request is not sent. */
  readonly isOver: boolean
  onSent(connection: Connection): void
  onHead(head: AnswerHead): void
  /** @param bytes valid during the call only */
  onData(bytes: Buffer): void
  onEnd(): void
  onError(error: Error): void
}

/** What a connection tells its pool. */
export type ConnectionEvents = {
  /** It is made, or has read an answer, and may serve the next request. */
  onIdle(connection: Connection): void
  /** @param failure why it closed before it was of any use; undefined where a request had been sent on it */
  onClose(connection: Connection, failure: Error | undefined): void
  /** A TLS session that later connections may resume. */
  onSession(session: Buffer): void
}

const HEAD_END = '\r\n\r\n'

/** A connection that is being made, serves one exchange, or is idle. */
export class Connection {
  /** Whether it has been made. */
  isMade = false
  #socket: Socket
  readonly #timer: NodeJS.Timeout
  readonly #events: ConnectionEvents
  readonly #isSecure: boolean
  readonly #nowMs: () => number
  readonly #endOfLifeMs: number
  #isUsed = false
  #exchange: Exchange | undefined
  #usableUntilMs = 0
  #error: Error | undefined
  #heldHead = ''
  #head: AnswerHead | undefined
  #remaining = 0
  #chunked: ChunkedBody | undefined

  /** @param endOfLifeMs when it is used no more, by `nowMs`: a monotonic clock in ms */
  constructor(target: Target, session: Buffer | undefined, events: ConnectionEvents, endOfLifeMs: number, nowMs: () => number) {
    this.#events = events
    this.#isSecure = target.isSecure
    this.#endOfLifeMs = endOfLifeMs
    this.#nowMs = nowMs
    const overdue = () => this.destroy(new Error(`no connection within ${target.connectTimeoutMs} ms`))
    this.#timer = setTimeout(overdue, target.connectTimeoutMs)
    const onRead = (length: number) => this.#onRead(length)
    if (target.proxy && target.isSecure) {
      const onOpen = (tunnel: Socket) => this.#use(openSocketOver(tunnel, target, session, onRead))
      this.#socket = openTunnel(target.proxy, target.hostname, target.port, onOpen)
      this.#watch(this.#socket)
    } else {
      this.#socket = openSocket(target, session, onRead)
      this.#use(this.#socket)
    }
  }

  /** Takes the socket that requests go out by. */
  #use(socket: Socket): void {
    this.#socket = socket
    socket
      .once(this.#isSecure ? 'secureConnect' : 'connect', () => {
        clearTimeout(this.#timer)
        this.isMade = true
        this.#rest(KEEP_ALIVE_MS)
      })
      .on('session', session => this.#events.onSession(session))
    this.#watch(socket)
  }

  /** Hears of a socket's end; a tunnel that has TLS over it tells that of its own. */
  #watch(socket: Socket): void {
    socket
      .on('error', error => {
        this.#error ??= error
      })
      .once('end', () => {
        if (socket === this.#socket) this.#onEnd()
      })
      .once('close', () => {
        if (socket === this.#socket) this.#onClose()
      })
  }

  #onClose(): void {
    clearTimeout(this.#timer)
    const error = this.#error ?? new Error('the connection was closed')
    this.#events.onClose(this, this.#isUsed ? undefined : error)
    this.#exchange?.onError(error)
  }

  /** Whether it is idle and may serve the next request. */
  isUsableAt(nowMs: number): boolean {
    return nowMs < this.#usableUntilMs && !this.#socket.destroyed
  }

  /** Sends a request and reads its answer; only for a connection that is idle. */
  send(exchange: Exchange): void {
    this.#exchange = exchange
    this.#isUsed = true
    this.#usableUntilMs = 0
    exchange.onSent(this)
    const { head, body } = exchange
    const length = Buffer.byteLength(body)
    const start = `${head}content-length: ${length}\r\n\r\n`
    // One write costs half of two. Where every character of the body is one byte, head and body have the same encoding.
    if (length === body.length) this.#socket.write(start + body, 'latin1')
    else this.#socket.write(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(body)]))
  }

  /** Whether reading is stopped. */
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

  /** Drops the exchange under way and the connection; the exchange hears no more of it. */
  abort(): void {
    this.#exchange = undefined
    this.destroy()
  }

  /** Closes the connection; the exchange under way fails. */
  destroy(error?: Error): void {
    this.#usableUntilMs = 0
    this.#socket.destroy(error)
  }

  #onRead(length: number): void {
    const exchange = this.#exchange
    // Nobody asked for these bytes, and they must not answer the next request.
    if (exchange === undefined) this.destroy()
    else this.#readAnswer(exchange, length)
  }

  #readAnswer(exchange: Exchange, length: number): void {
    try {
      const bodyStart = this.#head === undefined ? this.#readHead(exchange, length) : 0
      if (bodyStart !== undefined) this.#readBody(exchange, bodyStart, length)
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error('reading failed', { cause: error }))
    }
  }

  /** Reads as far as the head goes and returns where the body starts; undefined while the head is not whole. */
  #readHead(exchange: Exchange, length: number): number | undefined {
    for (let from = 0; ; ) {
      // Not the whole of what was read: most of a large read is body.
      const text = this.#heldHead + readBytes.toString('latin1', from, Math.min(length, from + HEAD_MAX_BYTES + HEAD_END.length))
      const end = text.indexOf(HEAD_END)
      if ((end < 0 ? text.length : end) > HEAD_MAX_BYTES) throw new ProtocolError('the head is too long')
      if (end < 0) {
        this.#heldHead = text
        if (!couldBeAnswerHead(text)) throw new ProtocolError('malformed head')
        return undefined
      }
      from += end + HEAD_END.length - this.#heldHead.length
      this.#heldHead = ''
      const head = parseAnswerHead(text.slice(0, end + 2))
      if (head.status === 101) throw new ProtocolError('nobody asked for another protocol')
      // An interim response (RFC 9110, section 15.2) is of no use here.
      if (head.status < 200) continue
      this.#begin(exchange, head)
      return from
    }
  }

  #begin(exchange: Exchange, head: AnswerHead): void {
    // Node does not tell a TLS connection that was closed in order from one that was cut, so what ends so is not known to be whole.
    if (this.#isSecure && !head.isChunked && head.bodyLength === Number.POSITIVE_INFINITY)
      throw new ProtocolError('the answer ends with its TLS connection')
    this.#head = head
    this.#remaining = head.bodyLength
    this.#chunked = head.isChunked ? new ChunkedBody() : undefined
    exchange.onHead(head)
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
    if (end > from) exchange.onData(readBytes.subarray(from, end))
    if (isOver && this.#exchange === exchange) this.#finish(exchange, rest === 0)
  }

  /** The other side has closed: some answers end so; any other has broken off, and the rest of a request need not go out. */
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
    // Where the answer came before the whole request was out, the rest of the request would stand before the next one.
    if (isClean && keepAliveMs > 0 && this.#socket.writableLength === 0) this.#rest(keepAliveMs)
    else this.destroy()
  }

  #rest(keepAliveMs: number): void {
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#usableUntilMs = Math.min(this.#nowMs() + keepAliveMs, this.#endOfLifeMs)
    this.#events.onIdle(this)
  }
}
