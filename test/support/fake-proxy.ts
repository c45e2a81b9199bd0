// A proxy on loopback that tunnels CONNECT requests, forwards requests with an absolute URL, and records both.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as sendRequest } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listen } from './listen.ts'

/** A request as the proxy received it; CONNECT or another method. */
type Proxied = { method: string; target: string; headers: IncomingMessage['headers'] }

/** A running proxy; `answer` may be replaced at any time. */
type FakeProxy = {
  /** Without user info. */
  url: string
  port: number
  received: Proxied[]
  /** The answer to CONNECT instead of a tunnel; undefined: a tunnel. */
  answer: string | undefined
  /** Open sockets to callers. */
  sockets: Set<Socket>
  close(): Promise<void>
}

/**
 * Starts a proxy on a free port of 127.0.0.1. It connects to 127.0.0.1 at the requested port, whatever the requested host.
 * @param tls a key and a certificate; default: the proxy speaks plain HTTP
 */
export async function startFakeProxy(tls?: { key: string; cert: string }): Promise<FakeProxy> {
  const server = tls ? createSecureServer(tls) : createServer()
  const record = ({ method = '', url = '', headers }: IncomingMessage) => proxy.received.push({ method, target: url, headers })
  const open = new Set<Duplex>()
  const proxy: FakeProxy = {
    url: '',
    port: 0,
    received: [],
    answer: undefined,
    sockets: new Set(),
    async close() {
      for (const socket of [...proxy.sockets, ...open]) socket.destroy()
      server.close()
      await once(server, 'close').catch(() => {})
    }
  }
  server.on('connection', (socket: Socket) => {
    proxy.sockets.add(socket)
    socket.on('error', () => {}).once('close', () => proxy.sockets.delete(socket))
  })
  server.on('tlsClientError', () => {})
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    record(request)
    open.add(socket)
    socket.on('error', () => {})
    if (proxy.answer !== undefined) {
      socket.once('end', () => socket.end()).resume()
      if (proxy.answer !== '') socket.write(proxy.answer, 'latin1')
      return
    }
    const upstream = connect(Number(request.url?.split(':').pop()), '127.0.0.1')
    open.add(upstream)
    upstream.on('error', () => socket.destroy()).once('close', () => socket.destroy())
    socket.once('close', () => upstream.destroy())
    upstream.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(upstream).pipe(socket)
    })
  })
  server.on('request', (request, response) => {
    record(request)
    const { port, pathname, search } = new URL(request.url ?? '')
    const { 'proxy-authorization': _, ...headers } = request.headers
    const forwarded = sendRequest({ port, path: pathname + search, method: request.method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    forwarded.on('error', () => response.writeHead(502).end('bad gateway'))
    request.pipe(forwarded)
  })
  proxy.port = await listen(server)
  proxy.url = `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${proxy.port}`
  return proxy
}
