// Answers every error in the format of a GraphQL response, with a code from the table of errors.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type ErrorCode, errorBody, GatewayError } from '../src/errors.ts'
import { COMPLETE_EVENT, EVENT_STREAM_HEADERS, nextEvent } from '../src/event-stream/events.ts'
import { GRAPHQL_RESPONSE_TYPE, negotiateType } from '../src/graphql/negotiation.ts'
import { AttemptError } from '../src/http1/attempt-error.ts'
import { newRequestId } from '../src/request-id.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The error code of the answer, for the log line. */
    errorCode: ErrorCode | undefined
    /** Why there was no answer from Hasura to pass on; only for the log line. */
    fault: string | undefined
    /** Converts any error to one of the table, notes it for the log line, and logs the cause of an `INTERNAL_ERROR`. */
    noteError(error: unknown): GatewayError
  }
}

/** Fastify's errors that have their own code in the table. */
const FASTIFY_ERRORS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_VALIDATION: 'INVALID_REQUEST',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_NOT_FOUND: 'NOT_FOUND'
}

/** Converts any error to one of the table: Fastify's by code, other 4xx errors to `INVALID_REQUEST`, the rest to `INTERNAL_ERROR`. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  // A stream from Hasura broke or stopped before any byte of it reached the caller.
  if (error instanceof AttemptError)
    return new GatewayError(error.reason === 'timeout' ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_INVALID_RESPONSE', { cause: error })
  const { code = '', statusCode = 500, message, validation } = Object(error) as Partial<FastifyError>
  const known = FASTIFY_ERRORS[code]
  if (known !== undefined) return new GatewayError(known, { ...(validation && message && { message }), cause: error })
  if (statusCode >= 400 && statusCode < 500) return new GatewayError('INVALID_REQUEST', { cause: error })
  return new GatewayError('INTERNAL_ERROR', { cause: error })
}

function noteError(request: FastifyRequest, error: unknown): GatewayError {
  const failure = toGatewayError(error)
  request.errorCode = failure.code
  if (failure.cause instanceof AttemptError) request.fault = failure.cause.fault
  if (failure.code === 'INTERNAL_ERROR') request.log.error({ err: failure.cause ?? failure }, 'request failed')
  return failure
}

/** Answers with an error; logs the cause of an `INTERNAL_ERROR`. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = noteError(request, error)
  if (isStreamed(request, failure)) return sendErrorEvent(failure, request, reply)
  const type = negotiateType(request.headers.accept) === GRAPHQL_RESPONSE_TYPE ? GRAPHQL_RESPONSE_TYPE : 'application/json'
  return reply
    .code(failure.statusCode)
    .headers({ 'x-request-id': request.id, ...failure.headers })
    .type(`${type}; charset=utf-8`)
    .serializer((body: string) => body)
    .send(errorBody(failure, request.id))
}

/** Errors of the request rather than of its document: they are answered with their status even if the caller wants an event stream. */
const WITH_STATUS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_JSON',
  'INVALID_REQUEST',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_HASH_MISMATCH',
  'UNAUTHENTICATED',
  'ROLE_NOT_ALLOWED',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'NOT_ACCEPTABLE',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'RATE_LIMITED',
  'OVERLOADED',
  'SHUTTING_DOWN'
])

/** Whether the error is sent as an event, because the caller of an event stream may not see the status (EventSource does not expose it). */
const isStreamed = ({ eventsFor, operation }: FastifyRequest, { code }: GatewayError) =>
  !WITH_STATUS.has(code) && (eventsFor === 'everything' || (eventsFor === 'subscriptions' && operation?.kind === 'subscription'))

const sendErrorEvent = (error: GatewayError, request: FastifyRequest, reply: FastifyReply) =>
  reply
    .code(200)
    .headers({ 'x-request-id': request.id, ...EVENT_STREAM_HEADERS })
    .serializer((body: string) => body)
    .send(nextEvent(errorBody(error, request.id)) + COMPLETE_EVENT)

/** Answers input that is not a valid HTTP request: a bad request line, or a head that is too large or too slow. */
export function answerClientError(_: Error, socket: Socket): void {
  // If an answer has already begun, the caller would read another head as part of its body.
  const { _httpMessage: underWay } = socket as Socket & { _httpMessage?: ServerResponse | null }
  if (socket.writable && !underWay?.headersSent) {
    const requestId = newRequestId()
    const body = errorBody(new GatewayError('INVALID_REQUEST', { message: 'The request is not well-formed HTTP.' }), requestId)
    const head = [
      'HTTP/1.1 400 Bad Request',
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'connection: close'
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
  socket.destroy()
}

/** Collects the methods of every path, to distinguish an unsupported method from an unknown path. */
function collectMethods(app: FastifyInstance): ReadonlyMap<string, ReadonlySet<string>> {
  const methods = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set()
    methods.set(url, known)
    for (const each of [method].flat()) known.add(each)
  })
  return methods
}

function unroutedError(methods: ReadonlyMap<string, ReadonlySet<string>>, request: FastifyRequest): GatewayError {
  const allowed = methods.get(request.url.split('?', 1)[0] ?? '')
  if (allowed === undefined || allowed.has(request.method)) return new GatewayError('NOT_FOUND')
  return new GatewayError('METHOD_NOT_ALLOWED', { headers: { allow: [...allowed].sort().join(', ') } })
}

export default fp(
  async app => {
    app.decorateRequest('errorCode', undefined)
    app.decorateRequest('fault', undefined)
    app.decorateRequest('noteError', function (this: FastifyRequest, error: unknown) {
      return noteError(this, error)
    })
    app.setErrorHandler(sendError)
    const methods = collectMethods(app)
    app.setNotFoundHandler(request => {
      throw unroutedError(methods, request)
    })
    // Without this hook, Fastify would read and parse the body of a request that has no route before it calls the handler.
    app.addHook('preParsing', (request, _reply, payload, done) =>
      request.is404 ? done(unroutedError(methods, request)) : done(null, payload)
    )
  },
  { name: 'errors' }
)
