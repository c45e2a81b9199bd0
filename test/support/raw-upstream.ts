// A server on loopback without HTTP of its own: the test decides what it does with each request.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { listen } from './listen.ts'

const HEAD_END = '\r\n\r\n'

/** A running raw server. */
type RawUpstream = {
  port: number
  /** How many connections were opened. */
  connections: number
  /** The open connections. */
  sockets: Set<Socket>
  /** What each connection has received, in the order in which they were opened, one character per byte. */
  received: string[]
  close(): Promise<void>
}

/**
 * Starts the server on a free port of 127.0.0.1.
 * @param onRequest called with each complete request, which must have a `content-length`
 */
export async function startRawUpstream(
  onRequest: (socket: Socket, request: string, count: number) => void,
  server: Server = createServer()
): Promise<RawUpstream> {
  let requests = 0
  const upstream: RawUpstream = {
    port: 0,
    connections: 0,
    sockets: new Set(),
    received: [],
    async close() {
      for (const socket of upstream.sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
  const onConnection = (socket: Socket) => {
    const index = upstream.connections++
    upstream.received[index] = ''
    upstream.sockets.add(socket)
    let held = ''
    let size: number | undefined
    socket.once('close', () => upstream.sockets.delete(socket))
    socket.on('error', () => {})
    socket.on('data', data => {
      const text = data.toString('latin1')
      upstream.received[index] += text
      held += text
      size ??= requestSize(held)
      while (size !== undefined && held.length >= size) {
        onRequest(socket, held.slice(0, size), ++requests)
        held = held.slice(size)
        size = requestSize(held)
      }
    })
  }
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', onConnection)
  upstream.port = await listen(server)
  return upstream
}

/** The length of the first request in a text; undefined while its head is incomplete. */
function requestSize(text: string): number | undefined {
  const head = text.indexOf(HEAD_END)
  if (head < 0) return undefined
  return head + HEAD_END.length + Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
}
