// Runs the operation of a request, for all routes: selects it, checks that the caller may run it, calls Hasura and sends the answer.
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
  /** The operation that a caller requests. */
  interface OperationRequest {
    document: CheckedDocument
    operationName: string | null | undefined
    /** The JSON text of an object, sent on unchanged; undefined if there are none. */
    variables: string | undefined
    /** Whether a stored operation is still current; undefined for the caller's own document. */
    isCurrent?: () => boolean
  }
  interface FastifyInstance {
    /**
     * Checks the `Accept` header and the role of a request before its body is read; a hook for the routes that run operations.
     * @throws {GatewayError} `NOT_ACCEPTABLE`, `ROLE_NOT_ALLOWED`
     */
    checkAcceptAndRole: onRequestHookHandler
    /**
     * Runs one query or mutation and returns Hasura's answer, without a content coding, for a route that builds its own answer.
     * @throws {GatewayError} like `runOperation`; {AttemptError} if the caller left, in which case `request.callerLeft` is aborted
     */
    callHasura(request: FastifyRequest, wanted: OperationRequest): Promise<UpstreamAnswer>
  }
  interface FastifyRequest {
    /** The media type of a JSON answer, according to the caller's `Accept`. */
    responseType: ResponseType
    /** What is answered with an event stream; `everything` if the caller accepts no other type. */
    eventsFor: 'nothing' | 'subscriptions' | 'everything'
    /** The caller's `x-hasura-role`, if allowed; without that header, the role from the keys file. */
    hasuraRole: string | undefined
  }
  interface FastifyReply {
    /**
     * Runs one operation of a checked document and sends Hasura's answer; resolves when it is sent or the caller has left.
     * @throws {GatewayError} `OPERATION_NAME_REQUIRED`, `OPERATION_NOT_FOUND`, `METHOD_NOT_ALLOWED`, `OPERATION_NOT_ALLOWED`,
     *   `SUBSCRIPTION_NOT_SUPPORTED`, `NOT_ACCEPTABLE`, `OVERLOADED`, `INVALID_REQUEST`, and those of the call to Hasura
     */
    runOperation(wanted: OperationRequest): Promise<void>
  }
}

/** The request headers that every answer depends on. */
const VARYING = ['accept', 'accept-encoding', 'authorization', 'x-api-key', 'x-hasura-role']

function createAcceptAndRoleCheck({ HASURA_ALLOWED_ROLES: allowedRoles, FORWARD_HEADERS: forwarded }: Settings): onRequestHookHandler {
  const varying = [...VARYING, ...forwarded]
  return (request, reply, done) => {
    // An HTTP cache may store the answer to a GET, but must not reuse it for another caller, role or coding.
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
    throw new GatewayError('METHOD_NOT_ALLOWED', { message: 'Mutations must be sent with POST.', headers: { allow: 'POST' } })
  if (!allowedKinds.has(kind) || caller?.operations?.has(kind) === false)
    throw new GatewayError('OPERATION_NOT_ALLOWED', { message: `A ${kind} is not allowed.` })
}

/** Returns the body for Hasura, built only from what was checked; the caller's body is never forwarded. */
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

/** One call to Hasura. */
type Call = { body: string; isQuery: boolean; takesGzip: boolean; startedAtMs: number; signal: AbortSignal }

/** Returns a function that takes a turn and calls Hasura; a streamed answer keeps its turn until the stream closes. */
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
    /** Prepares the call to Hasura; `cached` is set if the answer may be cached. */
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
        // The caller has left.
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
