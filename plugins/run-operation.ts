// What every route that runs operations has in common: the checks before the body, the call of Hasura, and its answer as it came.
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { GatewayError } from '../src/errors.ts'
import { acceptsGzip } from '../src/graphql/accepts-gzip.ts'
import { type CheckedDocument, type Operation, selectOperation } from '../src/graphql/document.ts'
import { hasDataMember } from '../src/graphql/has-data-member.ts'
import { GRAPHQL_RESPONSE_TYPE, negotiateType, type ResponseType, statusOf } from '../src/graphql/negotiation.ts'
import { createHeaderPassing } from '../src/hasura/passed-headers.ts'
import { AttemptError, Cancellation, type UpstreamAnswer } from '../src/hasura/upstream-attempt.ts'
import { createTurnBatch } from '../src/turn-batch.ts'

/** What a caller wants to run. */
export type OperationRequest = {
  document: CheckedDocument
  operationName: string | null | undefined
  /** The JSON text of an object, sent on as it is; undefined where there are none. */
  variables: string | undefined
}

/** Hasura's headers that reach the caller; all others stay behind. */
const PASSED_BACK = [
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'retry-after',
  'warning',
  'x-hasura-query-cache-key',
  'x-hasura-query-family-cache-key'
] as const

/** The request headers that an answer depends on. */
const VARYING = ['accept', 'accept-encoding', 'authorization', 'x-api-key', 'x-hasura-role']

declare module 'fastify' {
  interface FastifyRequest {
    /** The type of the answer, by the caller's `Accept`. */
    responseType: ResponseType
    /** The caller's `x-hasura-role`, once it is found to be allowed. */
    hasuraRole: string | undefined
  }
}

/**
 * The checks that come before a body is looked at.
 * @throws {GatewayError} `NOT_ACCEPTABLE`, `ROLE_NOT_ALLOWED`
 */
export function createCallerCheck(app: FastifyInstance): onRequestHookHandler {
  const roles = app.config.HASURA_ALLOWED_ROLES
  for (const name of ['responseType', 'hasuraRole']) if (!app.hasRequestDecorator(name)) app.decorateRequest(name, undefined)
  return (request, _, done) => {
    const type = negotiateType(request.headers.accept)
    if (type === undefined) return done(new GatewayError('NOT_ACCEPTABLE'))
    request.responseType = type
    const role = request.headers['x-hasura-role']
    if (role !== undefined) {
      if (typeof role !== 'string' || !roles.has(role) || request.caller?.roles?.has(role) === false)
        return done(new GatewayError('ROLE_NOT_ALLOWED'))
      request.hasuraRole = role
    }
    done()
  }
}

/**
 * Makes what runs one operation of a checked document and answers the request.
 * @throws {GatewayError} at once where the operation may not run; later errors are sent
 */
export function createOperationRunner(app: FastifyInstance) {
  const { config, hasura } = app
  const kinds = config.GRAPHQL_ALLOWED_OPERATIONS
  const passHeaders = createHeaderPassing({ forward: config.FORWARD_HEADERS, passesTraceContext: app.traceCall === undefined })

  return (request: FastifyRequest, reply: FastifyReply, { document, operationName, variables }: OperationRequest): void => {
    const operation = selectOperation(document, operationName)
    request.operation = operation
    if (operation.kind === 'subscription') throw new GatewayError('SUBSCRIPTION_NOT_SUPPORTED')
    if (request.method === 'GET' && operation.kind !== 'query') {
      throw new GatewayError('METHOD_NOT_ALLOWED', { message: 'Only queries run by GET: POST a mutation.', headers: { allow: 'POST' } })
    }
    if (!kinds.has(operation.kind) || request.caller?.operations?.has(operation.kind) === false)
      throw new GatewayError('OPERATION_NOT_ALLOWED', { message: `A ${operation.kind} is not allowed.` })
    const body = writeBody(document, operation, variables, Boolean(operationName))
    const headers = passHeaders(request.headers, request.id, acceptsGzip(request.headers['accept-encoding']), request.hasuraRole)
    const cancellation = new Cancellation()
    request.cancellation = cancellation
    const startedAtMs = performance.now()
    // Not awaited: the answer is sent from here, which spares Fastify and this function a promise each.
    hasura.execute({ body, isQuery: operation.kind === 'query', headers, cancellation }).then(
      answer => {
        request.upstreamMs = performance.now() - startedAtMs
        request.upstreamStatus = answer.status
        // A stream is bound to its reader at once: nobody else would end it if the caller left meanwhile.
        if (answer.stream) trySendAnswer({ request, reply, answer })
        else sendInTurn({ request, reply, answer })
      },
      (error: unknown) => {
        request.upstreamMs = performance.now() - startedAtMs
        // The caller has left: there is nobody to answer, and the log line says so.
        if (error instanceof AttemptError) reply.code(CALLER_LEFT).hijack()
        else reply.send(error)
      }
    )
  }
}

/** nginx's status for a caller that left; it is in the log alone. */
const CALLER_LEFT = 499

/** The request to Hasura, made anew from what was checked. */
function writeBody(document: CheckedDocument, operation: Operation, variables: string | undefined, isNamed: boolean): string {
  const name = isNamed ? `,"operationName":"${operation.name}"` : ''
  if (variables === undefined) return `{"query":${document.json}${name}}`
  return `{"query":${document.json},"variables":${variables}${name}}`
}

type DueAnswer = { request: FastifyRequest; reply: FastifyReply; answer: UpstreamAnswer }

/** Sends an answer, or the error of it: nobody awaits this, and what it threw would end the process. */
function trySendAnswer({ request, reply, answer }: DueAnswer): void {
  try {
    sendAnswer(request, reply, answer)
  } catch (error) {
    answer.stream?.destroy()
    reply.send(error)
  }
}

const sendInTurn = createTurnBatch(trySendAnswer)

function sendAnswer(request: FastifyRequest, reply: FastifyReply, answer: UpstreamAnswer): FastifyReply {
  let isPlain = true
  for (const name of PASSED_BACK) {
    const value = answer.headers.get(name)
    if (value === undefined) continue
    reply.header(name, value)
    isPlain &&= ASCII.test(value)
  }
  const { responseType } = request
  // Hasura may let an answer be kept (@cached): not for another caller, role or coding.
  if (request.method === 'GET') reply.vary(VARYING)
  if (responseType === GRAPHQL_RESPONSE_TYPE) reply.type(`${GRAPHQL_RESPONSE_TYPE}; charset=utf-8`)
  const hasData = () => hasDataMember(answer.head, answer.headers.get('content-encoding'))
  answer.stream?.once('error', (error: unknown) => {
    request.errorCode = error instanceof AttemptError && error.reason === 'timeout' ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE'
    if (error instanceof AttemptError) request.fault = error.fault
  })
  reply.code(statusOf(responseType, answer.status, hasData))
  if (answer.stream || !isPlain || !isUtf8(answer.head)) return reply.send(answer.stream ?? answer.head)
  // Node writes a head and a text at once, but a head and bytes one by one; the serializer keeps Fastify from adding a charset.
  return reply.serializer(asItIs).send(answer.head.toString())
}

const ASCII = /^[\x20-\x7e\t]*$/
const asItIs = (text: string) => text
