// Marks each request with its id and tells other plugins when it has ended, also where its caller left before.
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Cancellation } from '../src/hasura/upstream-attempt.ts'

/** Told of a request that has ended, `ms` after it came. */
export type RequestEndListener = (request: FastifyRequest, reply: FastifyReply, ms: number) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** Has a function told of the end of every request; for other plugins, before the service is ready. */
    onRequestEnd(listener: RequestEndListener): void
  }
  interface FastifyRequest {
    /** What ends with the request: the call of Hasura, once there is one. */
    cancellation: Cancellation | undefined
  }
}

export default fp(
  async app => {
    const listeners: RequestEndListener[] = []
    app.decorate('onRequestEnd', (listener: RequestEndListener) => void listeners.push(listener))
    app.decorateRequest('cancellation', undefined)
    app.addHook('onRequest', (request, reply, done) => {
      const startedAtMs = performance.now()
      reply.header('x-request-id', request.id)
      // Fastify's onResponse is silent where the caller leaves; 'close' comes in every case, once.
      reply.raw.once('close', () => {
        const ms = performance.now() - startedAtMs
        request.cancellation?.cancel()
        for (const listener of listeners) listener(request, reply, ms)
      })
      done()
    })
  },
  { name: 'requestEnd' }
)
