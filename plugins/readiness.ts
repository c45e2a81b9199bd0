// Decorates the instance with what it takes to be ready; each plugin tells its own part.
import fp from 'fastify-plugin'

/** What an operator should know of one part of the service. */
export type Concerns = {
  /** What keeps the service from running operations, in words that an operator can act on. */
  readonly blocking?: readonly string[]
  /** What is wrong while operations run all the same. */
  readonly notices?: readonly string[]
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Adds a part of the service to {@link FastifyInstance.readiness}; it is asked at each look. */
    addReadiness(part: () => Concerns): void
    /** Whether the service can run operations, and every reason for an operator to look. */
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
