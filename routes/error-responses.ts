// Describes the error answers of a route for the OpenAPI document: one entry per status, one example per code.
import { ERROR_TABLE, type ErrorCode, errorBody } from '../src/errors.ts'
import { GRAPHQL_RESPONSE_TYPE, JSON_TYPE } from '../src/graphql/negotiation.ts'

const EXAMPLE_REQUEST_ID = '0b9f8a52-6a44-4a9b-9c3a-2f6d3c1f7e10'

/** The schema of every error of the service (GraphQL specification, section 7.1.2). */
export const ErrorAnswerSchema = {
  $id: 'ErrorAnswer',
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['message', 'extensions'],
        properties: {
          message: { type: 'string', description: 'For people; the wording may change.' },
          locations: {
            type: 'array',
            description: 'Where in the document the error is; line and column count from 1.',
            items: {
              type: 'object',
              required: ['line', 'column'],
              properties: { line: { type: 'integer', minimum: 1 }, column: { type: 'integer', minimum: 1 } }
            }
          },
          extensions: {
            type: 'object',
            required: ['code', 'requestId'],
            properties: {
              code: { type: 'string', enum: Object.keys(ERROR_TABLE), description: 'For programs; stable.' },
              requestId: { type: 'string', description: 'The `x-request-id` of the response.' }
            }
          }
        }
      }
    }
  }
} as const

/** The header that every answer carries. */
export const REQUEST_ID_HEADER = {
  'x-request-id': { type: 'string', description: "The caller's own `x-request-id`, or a new one." }
} as const

/** The description of an event stream. */
export const EVENT_STREAM_TEXT =
  'An event stream (GraphQL over Server-Sent Events, distinct connections mode): `event: next` with an answer, `event: complete` at the end.'

/** The errors of every request that runs an operation, by document or by name. */
export const RUN_ERRORS = [
  'INVALID_REQUEST',
  'UNAUTHENTICATED',
  'OPERATION_NOT_ALLOWED',
  'ROLE_NOT_ALLOWED',
  'CROSS_SITE_REQUEST',
  'METHOD_NOT_ALLOWED',
  'NOT_ACCEPTABLE',
  'MISDIRECTED_REQUEST',
  'RATE_LIMITED',
  'INTERNAL_ERROR',
  'UPSTREAM_REJECTED_TOKEN',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_INVALID_RESPONSE',
  'TOKEN_UNAVAILABLE',
  'CALLER_KEYS_UNAVAILABLE',
  'OPERATION_UNAVAILABLE',
  'OVERLOADED',
  'SHUTTING_DOWN',
  'UPSTREAM_TIMEOUT'
] as const

/** The further errors of a request with a JSON body. */
export const BODY_ERRORS = ['INVALID_JSON', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const

const exampleOf = (code: ErrorCode) => {
  const locations = code === 'GRAPHQL_PARSE_FAILED' ? [{ line: 1, column: 9 }] : undefined
  return { summary: code, value: JSON.parse(errorBody({ code, message: ERROR_TABLE[code].message, locations }, EXAMPLE_REQUEST_ID)) }
}

/**
 * Returns the `response` part of a route's schema for the given errors.
 * @param schema a reference to {@link ErrorAnswerSchema}; default: one that Fastify resolves
 */
export function errorResponses(codes: readonly ErrorCode[], schema: { readonly $ref: string } = { $ref: 'ErrorAnswer#' }) {
  const byStatus = Map.groupBy(codes, code => ERROR_TABLE[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => {
      const media = { schema, examples: Object.fromEntries(ofStatus.map(code => [code, exampleOf(code)])) }
      const content = { [JSON_TYPE]: media, [GRAPHQL_RESPONSE_TYPE]: media }
      return [status, { description: ofStatus.map(code => `\`${code}\``).join(', '), headers: REQUEST_ID_HEADER, content }]
    })
  )
}
