// The floor: a bare node:http server that forwards the raw body and checks nothing.
import { createServer, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'

const { PORT, UPSTREAM = '', TOKEN } = process.env
const { origin, pathname: path } = new URL(UPSTREAM)
const pool = new Pool(origin, { connections: 128, allowH2: false })
const headers = ['content-type', 'application/json', 'authorization', `Bearer ${TOKEN}`]

class Forward implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    // The benchmark's upstream always sends both headers.
    this.#response.writeHead(status, ['content-type', String(headers['content-type']), 'content-length', String(headers['content-length'])])
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return
    if (this.#response.destroyed) {
      controller.abort(new Error('the caller left'))
      return
    }
    controller.pause()
    this.#response.once('drain', () => controller.resume())
    this.#response.once('close', () => controller.abort(new Error('the caller left')))
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(): void {
    this.#response.destroy()
  }
}

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks)
    pool.dispatch({ method: 'POST', path, headers, body }, new Forward(response))
  })
}).listen(Number(PORT), '127.0.0.1')
