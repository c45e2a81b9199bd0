// One HTTP/1.1 connection (RFC 9112): sends one request at a time and reads its answer; no pipelining.
import type { Socket } from 'node:net'
import { type AnswerHead, couldBeAnswerHead, HEAD_MAX_BYTES, KEEP_ALIVE_MS, ProtocolError, parseAnswerHead } from './answer-head.ts'
import { ChunkedBody } from './chunked-body.ts'
import { openSocket, openSocketOver, readBytes, type Target } from './open-socket.ts'
import { openTunnel } from './tunnel.ts'

/** One request and its listeners: for sending, for the answer, and finally for the end or an error. */
export interface Exchange {
  /** The request line and the header fields, each with its line break, without `content-length`. */
  readonly head: string
  readonly body: string
  /** Whether the answer is no longer needed; if so, the request is not sent. */
  readonly isOver: boolean
  onSent(connection: Connection): void
  onHead(head: AnswerHead): void
  /** @param bytes valid only during the call */
  onData(bytes: Buffer): void
  onEnd(): void
  onError(error: Error): void
}

/** A pool's listeners on a connection. */
export type ConnectionEvents = {
  /** Called when the connection is established or has read an answer, and can serve the next request. */
  onIdle(connection: Connection): void
  /** @param failure why the connection closed before any request was sent on it; undefined if one was sent */
  onClose(connection: Connection, failure: Error | undefined): void
  /** Called with a TLS session that later connections can resume. */
  onSession(session: Buffer): void
}

const HEAD_END = '\r\n\r\n'

/** A connection that is being established, serves one exchange, or is idle. */
export class Connection {
  /** Whether the connection has been established. */
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

  /** @param endOfLifeMs when the connection stops being used, on the clock `nowMs`, which is monotonic and in ms */
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

  /** Sets the socket on which requests are sent. */
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

  /** Watches a socket for its end; once TLS runs over a tunnel, only the end of the TLS socket counts. */
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

  /** Whether the connection is idle and can serve the next request. */
  isUsableAt(nowMs: number): boolean {
    return nowMs < this.#usableUntilMs && !this.#socket.destroyed
  }

  /** Sends a request and reads its answer. The connection must be idle. */
  send(exchange: Exchange): void {
    this.#exchange = exchange
    this.#isUsed = true
    this.#usableUntilMs = 0
    exchange.onSent(this)
    const { head, body } = exchange
    const length = Buffer.byteLength(body)
    const start = `${head}content-length: ${length}\r\n\r\n`
    // One write costs half as much as two. If every character of the body is one byte, head and body can be encoded together.
    if (length === body.length) this.#socket.write(start + body, 'latin1')
    else this.#socket.write(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(body)]))
  }

  /** Whether reading is stopped. */
  get isPaused(): boolean {
    return this.#socket.isPaused()
  }

  /** Stops reading, so that the peer has to wait. */
  pause(): void {
    this.#socket.pause()
  }

  /** Resumes reading. */
  resume(): void {
    this.#socket.resume()
  }

  /** Closes the connection; the exchange in progress gets no further events. */
  abort(): void {
    this.#exchange = undefined
    this.destroy()
  }

  /** Closes the connection; the exchange in progress fails. */
  destroy(error?: Error): void {
    this.#usableUntilMs = 0
    this.#socket.destroy(error)
  }

  #onRead(length: number): void {
    const exchange = this.#exchange
    // Unsolicited bytes must not become the answer to the next request.
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

  /** Reads the head and returns where the body starts; undefined while the head is incomplete. */
  #readHead(exchange: Exchange, length: number): number | undefined {
    for (let from = 0; ; ) {
      // Only part of the read is decoded, because most of a large read is body.
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
      // Interim responses (RFC 9110, section 15.2) are skipped.
      if (head.status < 200) continue
      this.#begin(exchange, head)
      return from
    }
  }

  #begin(exchange: Exchange, head: AnswerHead): void {
    // Node does not distinguish an orderly end of a TLS connection from a truncation, so such a body might be incomplete.
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

  /** Handles the end sent by the peer: it completes an answer that ends with the connection, and breaks any other exchange. */
  #onEnd(): void {
    const exchange = this.#exchange
    const endsHere = this.#head && this.#chunked === undefined && this.#remaining === Number.POSITIVE_INFINITY
    if (exchange && endsHere) this.#finish(exchange, false)
    else this.destroy()
  }

  /** @param isClean whether nothing followed the answer */
  #finish(exchange: Exchange, isClean: boolean): void {
    const keepAliveMs = this.#head?.keepAliveMs ?? 0
    this.#exchange = undefined
    this.#head = undefined
    this.#chunked = undefined
    exchange.onEnd()
    // If the answer arrived before the whole request was written, the next request would follow the unwritten rest.
    if (isClean && keepAliveMs > 0 && this.#socket.writableLength === 0) this.#rest(keepAliveMs)
    else this.destroy()
  }

  #rest(keepAliveMs: number): void {
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#usableUntilMs = Math.min(this.#nowMs() + keepAliveMs, this.#endOfLifeMs)
    this.#events.onIdle(this)
  }
}
