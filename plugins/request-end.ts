// Marks each request with its id and tells other plugins when it has ended, even if its caller left before the answer.
import type { EndedRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  /** A request that has ended, `ms` after it came. */
  interface EndedRequest {
    request: FastifyRequest
    reply: FastifyReply
    ms: number
    /** Of its route, `url` being undefined where there is none; Fastify makes `request.routeOptions` anew at each access. */
    config: FastifyContextConfig & { url?: string }
  }
  interface FastifyInstance {
    /** Calls `listener` at the end of every request; for other plugins, before the service is ready. */
    onRequestEnd(listener: (ended: EndedRequest) => void): void
  }
  interface FastifyRequest {
    /**
     * Aborted where the caller leaves before the answer is finished; whoever starts work that should end then sets it.
     * Fastify's own `request.signal` (5.12) is aborted as soon as a body has been read.
     */
    callerLeft: AbortController | undefined
  }
}

/** nginx's status for a request whose caller left before the answer began; only logs and metrics see it. */
const CALLER_LEFT = 499

export default fp(
  async app => {
    const listeners: ((ended: EndedRequest) => void)[] = []
    app.decorate('onRequestEnd', (listener: (ended: EndedRequest) => void) => void listeners.push(listener))
    app.decorateRequest('callerLeft', undefined)
    app.addHook('onRequest', (request, reply, done) => {
      const startedAtMs = performance.now()
      reply.header('x-request-id', request.id)
      // Fastify's onResponse does not run where the caller leaves; 'close' is emitted once in every case.
      reply.raw.once('close', () => {
        if (!reply.raw.headersSent) reply.code(CALLER_LEFT)
        if (!reply.raw.writableFinished) request.callerLeft?.abort()
        const ended = { request, reply, ms: performance.now() - startedAtMs, config: request.routeOptions.config }
        for (const listener of listeners) listener(ended)
      })
      done()
    })
  },
  { name: 'requestEnd' }
)
