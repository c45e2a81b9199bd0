// Bounds what callers' connections may take: how many there are, and how slowly each may send or read.
import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Pace } from '../src/admission/pace.ts'
import { sentBytesOf } from '../src/admission/sent-bytes.ts'
import { type Clock, systemClock } from '../src/clock.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the caller may read as slowly as it likes, as those of event streams may. */
    mayReadSlowly: boolean
  }
}

/**
 * So many requests of one connection are under way at once; what comes behind them is read once they are answered. If they were refused as
 * too many, it is read at the next look, so that refusing does not take all of the processor.
 */
const PIPELINED_MAX = 16
/** How often connections are looked at, in ms. */
const LOOK_EVERY_MS = 1_000

/** A caller's connection and the requests that are under way on it. */
type Connection = { readonly pace: Pace; readonly requests: Set<FastifyRequest>; idleReadBytes: number; isHeld: boolean }

/** What is coming in on a connection: between requests any byte is the beginning of a head. */
function receivingOn(socket: Socket, { requests, idleReadBytes, isHeld }: Connection): 'head' | 'body' | undefined {
  // What is held back is not the caller's delay.
  if (isHeld) return undefined
  if (requests.size === 0) return socket.bytesRead > idleReadBytes ? 'head' : undefined
  for (const { raw } of requests) if (!raw.complete) return 'body'
  return undefined
}

function resumeIfFew(socket: Socket, connection: Connection): void {
  if (!connection.isHeld || connection.requests.size >= PIPELINED_MAX) return
  connection.isHeld = false
  socket.resume()
}

export default fp<{ clock?: Clock }>(
  async (app, { clock = systemClock }) => {
    const connections = new Map<Socket, Connection>()
    app.server.maxConnections = app.config.MAX_CONNECTIONS
    app.decorateRequest('mayReadSlowly', false)

    app.server.on('connection', (socket: Socket) => {
      const connection = { pace: new Pace(), requests: new Set<FastifyRequest>(), idleReadBytes: 0, isHeld: false }
      connections.set(socket, connection)
      // Node resumes a socket for the body of each request.
      socket.on('resume', () => connection.isHeld && socket.pause())
      socket.once('close', () => connections.delete(socket))
    })
    app.addHook('onRequest', (request, _, done) => {
      const { socket } = request.raw
      const connection = connections.get(socket)
      connection?.requests.add(request)
      if (connection && connection.requests.size >= PIPELINED_MAX && !connection.isHeld) {
        connection.isHeld = true
        socket.pause()
      }
      done()
    })
    app.onRequestEnd(({ request }) => {
      const { socket } = request.raw
      const connection = connections.get(socket)
      if (!connection?.requests.delete(request)) return
      if (request.errorCode !== 'OVERLOADED') resumeIfFew(socket, connection)
      if (connection.requests.size > 0) return
      connection.idleReadBytes = socket.bytesRead
    })

    const lookAtAll = () => {
      const nowMs = clock.nowMs()
      for (const [socket, connection] of connections) {
        const requests = [...connection.requests]
        const verdict = connection.pace.look({
          nowMs,
          readBytes: socket.bytesRead,
          sentBytes: sentBytesOf(socket),
          receiving: receivingOn(socket, connection),
          isAnswerWaiting: socket.writableLength > 0 && !requests.some(({ mayReadSlowly }) => mayReadSlowly)
        })
        resumeIfFew(socket, connection)
        if (verdict === undefined) continue
        for (const request of requests) request.fault = verdict
        socket.destroy()
      }
    }
    let cancelTimer = () => {}
    const lookRegularly = () => {
      lookAtAll()
      cancelTimer = clock.setTimer(lookRegularly, LOOK_EVERY_MS)
    }
    lookRegularly()
    app.addHook('onClose', async () => cancelTimer())
  },
  { name: 'connections', dependencies: ['config', 'requestEnd', 'errors'] }
)
