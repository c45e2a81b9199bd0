// Marks each request with its id and tells other plugins when it has ended, also where its caller left before.
import type { EndedRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createTurnBatch } from '../src/turn-batch.ts'

declare module 'fastify' {
  /** A request that has ended, `ms` after it came. */
  interface EndedRequest {
    request: FastifyRequest
    reply: FastifyReply
    ms: number
    /** Of its route, `url` being undefined where there is none; Fastify makes `request.routeOptions` anew each time it is asked. */
    config: FastifyContextConfig & { url?: string }
  }
  interface FastifyInstance {
    /** Has a function told of the end of every request; for other plugins, before the service is ready. */
    onRequestEnd(listener: (ended: EndedRequest) => void): void
  }
  interface FastifyRequest {
    /** What ends with the request: the call of Hasura, once there is one. */
    cancellation: AbortController | undefined
  }
}

export default fp(
  async app => {
    const listeners: ((ended: EndedRequest) => void)[] = []
    const tellInTurn = createTurnBatch<EndedRequest>(ended => {
      for (const listener of listeners) listener(ended)
    }, process.nextTick)
    app.decorate('onRequestEnd', (listener: (ended: EndedRequest) => void) => void listeners.push(listener))
    app.decorateRequest('cancellation', undefined)
    app.addHook('onRequest', (request, reply, done) => {
      const startedAtMs = performance.now()
      reply.header('x-request-id', request.id)
      // Fastify's onResponse is silent where the caller leaves; 'close' comes in every case, once.
      reply.raw.once('close', () => {
        const ms = performance.now() - startedAtMs
        request.cancellation?.abort()
        tellInTurn({ request, reply, ms, config: request.routeOptions.config })
      })
      done()
    })
  },
  { name: 'requestEnd' }
)
