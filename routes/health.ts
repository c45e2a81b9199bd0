// GET /health/live and /health/ready: tell load balancers and operators whether the process is alive and can run operations.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { TokenStatus } from '../src/cognito/token-status.ts'

const LiveSchema = Type.Object({ status: Type.Literal('live') }, { examples: [{ status: 'live' }] })

const ReadySchema = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('not ready')]),
    reasons: Type.Array(Type.String(), { description: 'Why the service is not ready, or what an operator should check.' }),
    token: Type.Object({
      state: Type.Union([Type.Literal('none'), Type.Literal('fresh'), Type.Literal('stale'), Type.Literal('unusable')]),
      ageSeconds: Type.Optional(Type.Integer()),
      expiresInSeconds: Type.Optional(Type.Integer()),
      nextExchangeInSeconds: Type.Optional(Type.Integer()),
      exchangesPerMonth: Type.Optional(
        Type.Integer({ description: 'Exchanges that this replica makes in 30 days at the current rate; AWS bills each of them.' })
      ),
      consecutiveFailures: Type.Integer({ minimum: 0 }),
      lastFailure: Type.Optional(Type.Object({ code: Type.String(), advice: Type.String() }))
    })
  },
  {
    examples: [
      {
        status: 'ready',
        reasons: [],
        token: { state: 'fresh', expiresInSeconds: 3570, nextExchangeInSeconds: 2662, consecutiveFailures: 0 }
      }
    ]
  }
)

/** Returns the part of the answer about the token, with times in whole seconds. */
const tokenAnswer = (status: TokenStatus) => ({
  state: status.state,
  consecutiveFailures: status.consecutiveFailures,
  ageSeconds: rounded(status.ageSeconds),
  expiresInSeconds: rounded(status.expiresInSeconds),
  nextExchangeInSeconds: rounded(status.nextExchangeInSeconds),
  exchangesPerMonth: status.exchangesPerMonth,
  lastFailure: status.lastFailure
})

const rounded = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.round(seconds))

const routes: FastifyPluginAsyncTypebox = async app => {
  const config = { isQuiet: true, isProbe: true, answersWhileDraining: true }

  app.get(
    '/health/live',
    {
      config,
      schema: {
        operationId: 'getLiveness',
        security: [],
        tags: ['health'],
        summary: 'Is the process alive?',
        response: { 200: { description: 'The process is alive.', content: { 'application/json': { schema: LiveSchema } } } }
      }
    },
    async (_, reply) => reply.preventCache().send({ status: 'live' as const })
  )

  app.get(
    '/health/ready',
    {
      config,
      schema: {
        operationId: 'getReadiness',
        security: [],
        tags: ['health'],
        summary: 'Can the service run operations?',
        response: {
          200: {
            description: 'The service has a usable token and is not stopping.',
            content: { 'application/json': { schema: ReadySchema } }
          },
          503: {
            description: 'The service cannot run operations; `reasons` says why.',
            content: { 'application/json': { schema: ReadySchema } }
          }
        }
      }
    },
    async (_, reply) => {
      // If the operations are bad, the reasons below say so.
      await app.operations.whenReady()?.catch(() => {})
      const { isReady, reasons } = app.readiness()
      const token = tokenAnswer(app.tokenManager.status())
      return reply
        .code(isReady ? 200 : 503)
        .preventCache()
        .send({ status: isReady ? ('ready' as const) : ('not ready' as const), reasons, token })
    }
  )
}

export default routes
