// The parts of the OpenAPI document that all stored operations share.
import type { OperationKind } from '../../src/graphql/document.ts'
import { EVENT_STREAM_TYPE } from '../../src/graphql/event-stream-type.ts'
import { GRAPHQL_RESPONSE_TYPE, JSON_TYPE } from '../../src/graphql/negotiation.ts'
import { BODY_ERRORS, EVENT_STREAM_TEXT, errorResponses, REQUEST_ID_HEADER, RUN_ERRORS } from '../error-responses.ts'
import type { JsonSchema } from './scalar-schemas.ts'

const ERROR_ANSWER = { $ref: '#/components/schemas/ErrorAnswer' }
const GET_ERRORS = errorResponses(RUN_ERRORS, ERROR_ANSWER)
const POST_ERRORS = errorResponses([...RUN_ERRORS, ...BODY_ERRORS], ERROR_ANSWER)

/** The headers of an answer, in OpenAPI's format. */
const headers = Object.fromEntries(
  Object.entries(REQUEST_ID_HEADER).map(([name, { description, ...schema }]) => [name, { description, schema }])
)

/** The error answers as components, under names such as `StoredOperationError400`. */
export const ERROR_COMPONENTS = Object.fromEntries(
  Object.entries(POST_ERRORS).map(([status, { description, content }]) => [
    `StoredOperationError${status}`,
    { description, headers, content }
  ])
)

const ANSWER = { description: "Hasura's answer, unchanged; with `application/json` it may contain errors.", headers }
const EVENTS = { description: `${EVENT_STREAM_TEXT} The \`data\` of each \`next\` event is the answer as JSON.`, headers }

/** Returns the schema of a stream's text; `contentSchema` describes the `data` of a `next` event (JSON Schema, section 8.5). */
const eventSchema = (schema: JsonSchema): JsonSchema => ({ type: 'string', contentMediaType: JSON_TYPE, contentSchema: schema })

/** Returns the responses of an operation: 200 with a schema, and references to the errors. */
export function responsesOf(method: 'get' | 'post', kind: OperationKind, schema: JsonSchema): JsonSchema {
  const statuses = Object.keys(method === 'get' ? GET_ERRORS : POST_ERRORS)
  return {
    200:
      kind === 'subscription'
        ? { ...EVENTS, content: { [EVENT_STREAM_TYPE]: { schema: eventSchema(schema) } } }
        : { ...ANSWER, content: { [JSON_TYPE]: { schema }, [GRAPHQL_RESPONSE_TYPE]: { schema } } },
    ...Object.fromEntries(statuses.map(status => [status, { $ref: `#/components/responses/StoredOperationError${status}` }]))
  }
}

const header = (name: string, description: string) => ({ name, in: 'header', description, schema: { type: 'string' } })

/** The parameters of every operation, as components. */
export const PARAMETER_COMPONENTS = {
  RequestId: header('x-request-id', 'Your id for the request, 1 to 128 of `[A-Za-z0-9._-]`; it is returned and passed to Hasura.'),
  HasuraRole: header('x-hasura-role', 'The Hasura role to act as, if the service allows it.')
}

/** References to {@link PARAMETER_COMPONENTS}. */
export const COMMON_PARAMETERS = Object.keys(PARAMETER_COMPONENTS).map(name => ({ $ref: `#/components/parameters/${name}` }))

/** The `errors` of Hasura's answer, as the component `GraphqlErrors`. */
export const GRAPHQL_ERRORS: JsonSchema = {
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    required: ['message'],
    properties: { message: { type: 'string' }, extensions: { type: 'object', additionalProperties: true } },
    additionalProperties: true
  }
}
