// Stops without losing a request: new ones are turned away, those in flight finish, then the instance closes.
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the service has begun to stop. */
    isDraining: boolean
    /**
     * Turns new requests away and waits for those in flight; the listener stays open meanwhile, so that callers are told why.
     * @param graceMs the longest wait, in ms
     * @returns whether all of them have finished
     */
    drain(graceMs: number): Promise<boolean>
    /** Calls `listener` when the service begins to stop; for what would not end by itself. */
    onDrain(listener: () => void): void
  }
  interface FastifyContextConfig {
    /** Whether the route answers while the service stops. Default false. */
    answersWhileDraining?: boolean
  }
}

export default fp(
  async app => {
    let inFlight = 0
    let onIdle: () => void = () => {}

    app.decorate('isDraining', false)
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
