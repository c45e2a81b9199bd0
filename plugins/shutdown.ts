// Drains requests for a graceful shutdown: new ones are refused, and those in flight finish before the instance closes.
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the shutdown has begun. */
    isDraining: boolean
    /** Returns the number of requests in flight, including probes. */
    requestsInFlight(): number
    /**
     * Refuses new requests and waits for those in flight. The listener stays open meanwhile, so that callers get `SHUTTING_DOWN`.
     * @param graceMs the longest wait, in ms
     * @returns whether all of them have finished
     */
    drain(graceMs: number): Promise<boolean>
    /** Calls `listener` when the shutdown begins, to end what would not end by itself. */
    onDrain(listener: () => void): void
  }
  interface FastifyContextConfig {
    /** Whether the route answers during the shutdown. Default false. */
    answersWhileDraining?: boolean
  }
}

export default fp(
  async app => {
    let inFlight = 0
    let onIdle: () => void = () => {}

    app.decorate('isDraining', false)
    app.decorate('requestsInFlight', () => inFlight)
    app.addReadiness(() => ({ blocking: app.isDraining ? ['The service is shutting down.'] : [] }))
    const listeners: (() => void)[] = []
    app.decorate('onDrain', (listener: () => void) => void listeners.push(listener))
    app.decorate('drain', async graceMs => {
      app.isDraining = true
      for (const listener of listeners) listener()
      if (inFlight === 0) return true
      return new Promise(resolve => {
        const timer = setTimeout(() => resolve(false), graceMs)
        onIdle = () => {
          clearTimeout(timer)
          resolve(true)
        }
      })
    })
    app.addHook('onRequest', (request, reply, done) => {
      inFlight++
      if (app.isDraining) {
        reply.header('connection', 'close')
        if (!request.routeOptions.config.answersWhileDraining) return done(new GatewayError('SHUTTING_DOWN'))
      }
      done()
    })
    app.onRequestEnd(() => {
      inFlight--
      if (inFlight === 0) onIdle()
    })
  },
  { name: 'shutdown', dependencies: ['requestEnd', 'readiness'] }
)
