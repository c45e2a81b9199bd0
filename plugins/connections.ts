// Limits callers' connections: their number, their pipelined requests, and how slowly each may send or read.
import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Pace } from '../src/admission/pace.ts'
import { sentBytesOf } from '../src/admission/sent-bytes.ts'
import { type Clock, systemClock } from '../src/clock.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether no minimum reading rate applies, as for event streams. */
    mayReadSlowly: boolean
  }
}

/**
 * The number of requests in progress at which a connection is no longer read; reading resumes when one is answered. If that one was
 * refused with `OVERLOADED`, reading resumes at the next check, so that refusing does not use up the CPU.
 */
const PIPELINED_MAX = 16
/** How often connections are checked, in ms. */
const CHECK_EVERY_MS = 1_000

/** A caller's connection and its requests in progress. */
type Connection = { readonly pace: Pace; readonly requests: Set<FastifyRequest>; idleReadBytes: number; isHeld: boolean }

/** Returns what is being received on a connection: between requests, any byte is the beginning of a head. */
function receivingOn(socket: Socket, { requests, idleReadBytes, isHeld }: Connection): 'head' | 'body' | undefined {
  // The service itself has stopped reading, so the caller is not late.
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

    const checkAll = () => {
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
    const checkRegularly = () => {
      checkAll()
      cancelTimer = clock.setTimer(checkRegularly, CHECK_EVERY_MS)
    }
    checkRegularly()
    app.addHook('onClose', async () => cancelTimer())
  },
  { name: 'connections', dependencies: ['config', 'requestEnd', 'errors'] }
)
