// Decorates the instance with the Hasura client, whose connections are closed after the service has answered its last request.
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { type AnswerErrors, readErrors } from '../src/graphql/answer-errors.ts'
import { describeCallFailure, describeFailureCode, describeFailureStatus, LAST_CALL_FAILED } from '../src/hasura/call-failure.ts'
import { createHasuraClient, type HasuraRequest, type UpstreamAnswer } from '../src/hasura/hasura-client.ts'
import { proxyFor } from '../src/proxy.ts'

/** An answer from Hasura, with its errors if it has any. */
type WatchedAnswer = UpstreamAnswer & { errors?: AnswerErrors }

declare module 'fastify' {
  interface FastifyInstance {
    /** The Hasura client; `execute` is that of `createHasuraClient`. A failed call appears in {@link FastifyInstance.readiness}. */
    hasura: { execute(request: HasuraRequest): Promise<WatchedAnswer> }
  }
}

/** Describes the failure in an answer, if Hasura is the cause rather than the caller. */
function failureIn({ status }: UpstreamAnswer, errors: AnswerErrors | undefined): string | undefined {
  return status >= 500 ? describeFailureStatus(status) : describeFailureCode(errors?.code)
}

/** Remembers the last failure until the next success, and tells the token manager when Hasura has answered with data. */
function createWatch({ tokenManager, addReadiness }: FastifyInstance) {
  let failure: { description: string; atMs: number } | undefined
  addReadiness(() => {
    if (failure === undefined) return {}
    const seconds = Math.round((performance.now() - failure.atMs) / 1000)
    return { notices: [`${LAST_CALL_FAILED} ${seconds} s ago. ${failure.description}`] }
  })
  const note = (description: string | undefined) => {
    failure = description === undefined ? undefined : { description, atMs: performance.now() }
  }
  return {
    onAnswer(answer: WatchedAnswer): void {
      const errors = readErrors(answer.head, answer.stream === undefined, answer.headers.get('content-encoding'))
      if (errors) answer.errors = errors
      note(failureIn(answer, errors))
      if (answer.status === 200 && errors === undefined) tokenManager.noteAccepted()
    },
    onError(error: unknown): void {
      const description = describeCallFailure(error)
      if (description !== undefined) note(description)
    }
  }
}

export default fp(
  async app => {
    const { config, log, metrics, tokenManager, traceCall } = app
    const client = createHasuraClient({
      endpoint: config.GRAPHQL_ENDPOINT.href,
      tokenHeader: config.GRAPHQL_TOKEN_HEADER,
      timeoutMs: config.GRAPHQL_TIMEOUT_MS,
      connections: config.GRAPHQL_CONNECTIONS,
      proxy: proxyFor(config.GRAPHQL_ENDPOINT, config),
      tokens: tokenManager,
      traceCall,
      onRetry: reason => metrics.retries.inc({ reason }),
      onRefusal: ({ reason, message }) => {
        metrics.rejections.inc({ reason })
        log.warn({ reason }, `Hasura refused the token: ${message}`)
      }
    })
    const watch = createWatch(app)
    const execute = async (request: HasuraRequest): Promise<WatchedAnswer> => {
      try {
        const answer = await client.execute(request)
        watch.onAnswer(answer)
        return answer
      } catch (error) {
        watch.onError(error)
        throw error
      }
    }
    app.decorate('hasura', { execute })
    app.addHook('onClose', async () => client.close())
  },
  { name: 'hasura', dependencies: ['config', 'cognitoAuth', 'metrics', 'readiness', 'tracing'] }
)
