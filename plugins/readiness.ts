// Decorates the instance with its readiness, to which each plugin contributes a part.
import fp from 'fastify-plugin'

/** What an operator should know about one part of the service. */
type Concerns = {
  /** Sentences about what keeps the service from running operations, and what to do. */
  readonly blocking?: readonly string[]
  /** Sentences about problems that do not keep operations from running. */
  readonly notices?: readonly string[]
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Adds a part to {@link FastifyInstance.readiness}; the function is called on every check. */
    addReadiness(part: () => Concerns): void
    /** Returns whether the service can run operations, and all sentences for an operator. */
    readiness(): { isReady: boolean; reasons: string[] }
  }
}

export default fp(
  async app => {
    const parts: (() => Concerns)[] = []
    app.decorate('addReadiness', (part: () => Concerns) => void parts.push(part))
    app.decorate('readiness', () => {
      const concerns = parts.map(part => part())
      const blocking = concerns.flatMap(({ blocking = [] }) => blocking)
      return { isReady: blocking.length === 0, reasons: [...blocking, ...concerns.flatMap(({ notices = [] }) => notices)] }
    })
  },
  { name: 'readiness' }
)
