// A caller that sends raw bytes and keeps its connection, for requests that no HTTP client would send.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A raw answer; the body is latin1, so that each character is a byte. */
export type RawAnswer = { status: number; headers: ReadonlyMap<string, string>; body: string }

/** Uses one connection at a time, and opens a new one after the last was closed. */
export class RawClient {
  readonly #port: number
  #socket: Socket | undefined

  constructor(url: string) {
    this.#port = Number(new URL(url).port)
  }

  /** Sends one request and reads its answer; undefined if the other side closed before the answer was complete, or sent nothing for this many ms. */
  async send(bytes: string, { isHead = false, silenceMs = 120_000 } = {}): Promise<RawAnswer | undefined> {
    const socket = this.#socket ?? (await this.#connect())
    return new Promise(resolve => {
      let received = ''
      const end = (answer: RawAnswer | undefined, keepsAlive: boolean) => {
        socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('timeout').setTimeout(0)
        if (!keepsAlive) this.close()
        resolve(answer)
      }
      socket.on('data', chunk => {
        received += chunk
        const answer = readAnswer(received, isHead)
        if (answer) end(answer, answer.headers.get('connection') !== 'close')
      })
      socket.once('close', () => end(undefined, false))
      socket.setTimeout(silenceMs).once('timeout', () => end(undefined, false))
      socket.write(bytes, 'latin1')
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#port, '127.0.0.1').setEncoding('latin1').setNoDelay()
    socket.on('error', () => {})
    await once(socket, 'connect')
    this.#socket = socket
    return socket
  }
}

/** The answer in a text, once it is complete: as long as its `content-length`, or without a body. */
function readAnswer(text: string, isHead: boolean): RawAnswer | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const headers = new Map(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
  const length = isHead ? 0 : Number(headers.get('content-length') ?? 0)
  if (text.length < headEnd + 4 + length) return undefined
  return { status: Number(first.split(' ')[1]), headers, body: text.slice(headEnd + 4, headEnd + 4 + length) }
}
