// Sets `x-request-id` on each answer and notifies other plugins when a request ends, even if its caller left before the answer.
import type { EndedRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  /** A request that has ended, `ms` milliseconds after it arrived. */
  interface EndedRequest {
    request: FastifyRequest
    reply: FastifyReply
    ms: number
    /** The config of its route; `url` is undefined if there is none. Each access to `request.routeOptions` would create it anew. */
    config: FastifyContextConfig & { url?: string }
  }
  interface FastifyInstance {
    /** Calls `listener` at the end of every request. Other plugins use it before the service is ready. */
    onRequestEnd(listener: (ended: EndedRequest) => void): void
  }
  interface FastifyRequest {
    /**
     * Aborted if the caller leaves before the answer is finished. Set by code that starts work to be cancelled in that case, because
     * Fastify's own `request.signal` (5.12) is aborted as soon as the body has been read.
     */
    callerLeft: AbortController | undefined
  }
}

/** nginx's status for a request whose caller left before the answer began; it appears only in logs and metrics. */
const CALLER_LEFT = 499

export default fp(
  async app => {
    const listeners: ((ended: EndedRequest) => void)[] = []
    app.decorate('onRequestEnd', (listener: (ended: EndedRequest) => void) => void listeners.push(listener))
    app.decorateRequest('callerLeft', undefined)
    app.addHook('onRequest', (request, reply, done) => {
      const startedAtMs = performance.now()
      reply.header('x-request-id', request.id)
      // Fastify's onResponse does not run if the caller leaves; 'close' is emitted exactly once in every case.
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
