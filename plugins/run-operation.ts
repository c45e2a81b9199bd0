// Runs one operation, for every route that has one to run: checks what is asked for, calls Hasura, passes its answer on.
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, OperationRequest, onRequestHookHandler, WantedSubscription } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'
import { acceptsGzip } from '../src/graphql/accepts-gzip.ts'
import { type CheckedDocument, type Operation, selectOperation } from '../src/graphql/document.ts'
import { acceptsEventStream } from '../src/graphql/event-stream-type.ts'
import { JSON_TYPE, negotiateType, type ResponseType } from '../src/graphql/negotiation.ts'
import type { UpstreamAnswer } from '../src/hasura/hasura-client.ts'
import { createHeaderPassing } from '../src/hasura/passed-headers.ts'
import type { Settings } from '../src/settings.ts'

declare module 'fastify' {
  /** What a caller wants to run. */
  interface OperationRequest {
    document: CheckedDocument
    operationName: string | null | undefined
    /** The JSON text of an object, sent on as it is; undefined where there are none. */
    variables: string | undefined
    /** Whether a stored operation is still in force; undefined for a document of the caller's own. */
    isCurrent?: () => boolean
  }
  interface FastifyInstance {
    /**
     * Checks what a request asks for before its body is read; a hook for the routes that run operations.
     * @throws {GatewayError} `NOT_ACCEPTABLE`, `ROLE_NOT_ALLOWED`
     */
    checkAcceptAndRole: onRequestHookHandler
    /**
     * Runs one query or mutation for a request and returns Hasura's answer, without a content coding, for a route that does not send it as it is.
     * @throws {GatewayError} as `runOperation` does; an `AttemptError` where the caller left, which `request.callerLeft` tells
     */
    callHasura(request: FastifyRequest, wanted: OperationRequest): Promise<UpstreamAnswer>
  }
  interface FastifyRequest {
    /** The type of the answer where it is JSON, by the caller's `Accept`. */
    responseType: ResponseType
    /** Whether the caller takes an event stream: for a subscription, or for every answer since it takes nothing else. */
    eventsFor: 'nothing' | 'subscriptions' | 'everything'
    /** The caller's `x-hasura-role`, once it is found to be allowed, or the role that the keys file gives to requests without one. */
    hasuraRole: string | undefined
  }
  interface FastifyReply {
    /**
     * Runs one operation of a checked document and sends Hasura's answer; resolves when it is sent, or the caller has left.
     * @throws {GatewayError} `OPERATION_NAME_REQUIRED`, `OPERATION_NOT_FOUND`, `METHOD_NOT_ALLOWED`, `OPERATION_NOT_ALLOWED`,
     *   `SUBSCRIPTION_NOT_SUPPORTED`, `NOT_ACCEPTABLE`, `OVERLOADED`,
     *   `INVALID_REQUEST`, and those of the call of Hasura
     */
    runOperation(wanted: OperationRequest): Promise<void>
  }
}

/** The request headers that every answer depends on. */
const VARYING = ['accept', 'accept-encoding', 'authorization', 'x-api-key', 'x-hasura-role']

function createAcceptAndRoleCheck({ HASURA_ALLOWED_ROLES: allowedRoles, FORWARD_HEADERS: forwarded }: Settings): onRequestHookHandler {
  const varying = [...VARYING, ...forwarded]
  return (request, reply, done) => {
    // An HTTP cache may keep what GET gives, but not for another caller, role or coding.
    if (request.method === 'GET') reply.vary(varying)
    const { accept } = request.headers
    const type = negotiateType(accept)
    const takesEvents = acceptsEventStream(accept)
    if (type === undefined && !takesEvents) return done(new GatewayError('NOT_ACCEPTABLE'))
    request.responseType = type ?? JSON_TYPE
    if (takesEvents) request.eventsFor = type === undefined ? 'everything' : 'subscriptions'
    const role = request.headers['x-hasura-role']
    if (role === undefined) {
      request.hasuraRole = request.caller?.role
      return done()
    }
    if (typeof role !== 'string' || !allowedRoles.has(role) || request.caller?.roles?.has(role) === false) {
      request.refusal = { reason: 'the role is not allowed', address: request.address }
      return done(new GatewayError('ROLE_NOT_ALLOWED'))
    }
    request.hasuraRole = role
    done()
  }
}

function assertMayRun({ method, caller, eventsFor }: FastifyRequest, { kind }: Operation, allowedKinds: ReadonlySet<string>): void {
  if (kind === 'subscription' && !allowedKinds.has(kind)) throw new GatewayError('SUBSCRIPTION_NOT_SUPPORTED')
  if (kind === 'subscription' && eventsFor === 'nothing')
    throw new GatewayError('NOT_ACCEPTABLE', {
      message: 'A subscription is answered with an event stream: Accept must name text/event-stream.'
    })
  if (method === 'GET' && kind === 'mutation')
    throw new GatewayError('METHOD_NOT_ALLOWED', { message: 'A mutation does not run by GET: POST it.', headers: { allow: 'POST' } })
  if (!allowedKinds.has(kind) || caller?.operations?.has(kind) === false)
    throw new GatewayError('OPERATION_NOT_ALLOWED', { message: `A ${kind} is not allowed.` })
}

/** The request to Hasura, made anew from what was checked. */
function writeBody({ document, operationName, variables }: OperationRequest, operation: Operation): string {
  const name = operationName ? `,"operationName":"${operation.name}"` : ''
  if (variables === undefined) return `{"query":${document.json}${name}}`
  return `{"query":${document.json},"variables":${variables}${name}}`
}

const subscriptionOf = ({ document, operationName, variables, isCurrent }: OperationRequest): WantedSubscription => ({
  query: document.text,
  operationName: operationName ?? undefined,
  variables,
  isCurrent
})

/** One call of Hasura. */
type Call = { body: string; isQuery: boolean; takesGzip: boolean; startedAtMs: number; signal: AbortSignal }

/** Makes the call of Hasura for a request. */
function createCall({ config, hasura, traceCall, turns }: FastifyInstance) {
  const passHeaders = createHeaderPassing({ forward: config.FORWARD_HEADERS, passesTraceContext: traceCall === undefined })
  return async (request: FastifyRequest, { body, isQuery, takesGzip, startedAtMs, signal }: Call): Promise<UpstreamAnswer> => {
    const headers = passHeaders(request.headers, request.id, takesGzip, request.hasuraRole)
    const { callerIdentity } = request
    if (!turns.tryTake(callerIdentity)) {
      const restMs = Math.max(0, startedAtMs + config.GRAPHQL_TIMEOUT_MS - performance.now())
      await turns.wait(callerIdentity, restMs, signal)
    }
    const calledAtMs = performance.now()
    let stream: Readable | undefined
    try {
      const answer = await hasura.execute({ body, isQuery, headers, startedAtMs, signal })
      stream = answer.stream
      request.upstreamStatus = answer.status
      request.upstreamErrors = answer.errors
      return answer
    } finally {
      request.upstreamMs = performance.now() - calledAtMs
      if (stream) stream.once('close', () => turns.release(callerIdentity))
      else turns.release(callerIdentity)
    }
  }
}

export default fp(
  async app => {
    const { config, answerCache } = app
    const call = createCall(app)
    app.decorateRequest('responseType')
    app.decorateRequest('eventsFor', 'nothing')
    app.decorateRequest('hasuraRole', undefined)
    app.decorate('checkAcceptAndRole', createAcceptAndRoleCheck(config))

    const select = (request: FastifyRequest, { document, operationName }: OperationRequest): Operation => {
      const operation = selectOperation(document, operationName)
      request.operation = operation
      assertMayRun(request, operation, config.GRAPHQL_ALLOWED_OPERATIONS)
      return operation
    }
    /** Prepares the call of Hasura; `cached` is there where the answer may be kept. */
    const prepare = (request: FastifyRequest, wanted: OperationRequest, operation: Operation, takesGzip: boolean) => {
      const isQuery = operation.kind === 'query'
      const cached = isQuery ? answerCache?.find(request, wanted, operation, takesGzip) : undefined
      const startedAtMs = performance.now()
      const callerLeft = new AbortController()
      request.callerLeft = callerLeft
      const { signal } = callerLeft
      const ask = () => call(request, { body: writeBody(cached?.wanted ?? wanted, operation), isQuery, takesGzip, startedAtMs, signal })
      return { ask, cached, signal }
    }

    app.decorate('callHasura', async (request: FastifyRequest, wanted: OperationRequest) => {
      const operation = select(request, wanted)
      if (operation.kind === 'subscription') throw new GatewayError('SUBSCRIPTION_NOT_SUPPORTED')
      const { ask, cached, signal } = prepare(request, wanted, operation, false)
      return cached && answerCache ? answerCache.answer(cached, ask, signal) : ask()
    })

    app.decorateReply('runOperation', async function (this: FastifyReply, wanted) {
      const { request } = this
      const operation = select(request, wanted)
      if (operation.kind === 'subscription') return this.streamSubscription(subscriptionOf(wanted))
      const takesGzip = request.eventsFor !== 'everything' && acceptsGzip(request.headers['accept-encoding'])
      const { ask, cached, signal } = prepare(request, wanted, operation, takesGzip)
      try {
        if (cached) await this.answerFromCache(cached, ask, signal)
        else await this.passAnswer(await ask())
      } catch (error) {
        if (!signal.aborted) throw error
        // Nobody is left to answer.
        this.hijack()
      }
    })
  },
  {
    name: 'runOperation',
    dependencies: [
      'config',
      'errors',
      'callers',
      'requestLog',
      'hasura',
      'admission',
      'answerCache',
      'passAnswer',
      'subscriptions',
      'tracing'
    ]
  }
)
