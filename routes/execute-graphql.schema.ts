// The schemas of /execute-graphql, which validate requests and describe the route in the OpenAPI document.
import { Type } from '@sinclair/typebox'
import { COMPLETE_EVENT, nextEvent } from '../src/event-stream/events.ts'
import { EVENT_STREAM_TYPE } from '../src/graphql/event-stream-type.ts'
import { GRAPHQL_RESPONSE_TYPE, JSON_TYPE } from '../src/graphql/negotiation.ts'
import { BODY_ERRORS, EVENT_STREAM_TEXT, errorResponses, REQUEST_ID_HEADER, RUN_ERRORS } from './error-responses.ts'

const nullable = <T>(type: string, description: string) => Type.Optional(Type.Unsafe<T | null>({ type: [type, 'null'], description }))

const DOCUMENT_ID = 'The id of a persisted document, instead of `query`: its SHA-256 in hex, or its id in the manifest.'
const EXTENSIONS = '`persistedQuery` names a persisted document as Apollo does; other members are not passed on to Hasura.'

const EXAMPLE_QUERY = 'query Users($limit: Int!) { users(limit: $limit, order_by: {id: asc}) { id name } }'

/** The body of `POST /execute-graphql` (GraphQL over HTTP, "Request parameters"). Other members are ignored. */
const BodySchema = Type.Object(
  {
    query: Type.Optional(Type.String({ minLength: 1, description: 'The GraphQL document; required unless its id is given.' })),
    documentId: Type.Optional(Type.String({ minLength: 1, description: DOCUMENT_ID })),
    variables: nullable<Record<string, unknown>>('object', 'The values of its variables. Numbers keep every digit.'),
    operationName: nullable<string>('string', 'Which operation to run; required if the document has several.'),
    extensions: nullable<Record<string, unknown>>('object', EXTENSIONS)
  },
  { examples: [{ query: EXAMPLE_QUERY, variables: { limit: 2 } }] }
)

/** The query string of `GET /execute-graphql`. */
const QuerystringSchema = Type.Object({
  query: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'The GraphQL document; its operation must not be a mutation. Required unless its id is given.',
      examples: ['{ users { id name } }']
    })
  ),
  documentId: Type.Optional(Type.String({ minLength: 1, description: DOCUMENT_ID })),
  variables: Type.Optional(Type.String({ description: 'The values of its variables, as a JSON object.', examples: ['{"limit":2}'] })),
  operationName: Type.Optional(Type.String({ description: 'Which operation to run; required if the document has several.' })),
  extensions: Type.Optional(Type.String({ description: `A JSON object. ${EXTENSIONS}` }))
})

const HeadersSchema = Type.Object({
  'x-request-id': Type.Optional(
    Type.String({ description: 'Your id for the request, 1 to 128 of `[A-Za-z0-9._-]`; it is returned and passed to Hasura.' })
  ),
  'x-hasura-role': Type.Optional(Type.String({ description: 'The Hasura role to act as, if the service allows it.' }))
})

/** An answer from Hasura (GraphQL specification, section 7.1); shared, so that client generators have one name for it. */
export const AnswerSchema = {
  $id: 'GraphqlAnswer',
  type: 'object',
  properties: {
    data: { type: ['object', 'null'], additionalProperties: true, description: 'Absent if nothing was executed.' },
    errors: {
      type: 'array',
      items: { type: 'object', additionalProperties: true, required: ['message'], properties: { message: { type: 'string' } } }
    },
    extensions: { type: 'object', additionalProperties: true }
  }
} as const

const data = {
  data: {
    users: [
      { id: 1, name: 'ada' },
      { id: 2, name: 'grace' }
    ]
  }
}
const refused = {
  errors: [
    { extensions: { path: '$.selectionSet.user', code: 'validation-failed' }, message: "field 'user' not found in type: 'query_root'" }
  ]
}

const media = {
  schema: { $ref: 'GraphqlAnswer#' },
  examples: {
    data: { summary: 'The operation ran', value: data },
    errors: { summary: 'Hasura refused the operation: check `errors` even if the status is 200', value: refused }
  }
}

const EXAMPLE_STREAM = nextEvent(JSON.stringify(data)) + COMPLETE_EVENT

const ANSWER = {
  description: "Hasura's answer, unchanged; with `application/json` even if it contains errors.",
  headers: REQUEST_ID_HEADER,
  content: {
    [JSON_TYPE]: media,
    [GRAPHQL_RESPONSE_TYPE]: { ...media, examples: { data: media.examples.data } },
    [EVENT_STREAM_TYPE]: {
      schema: { type: 'string', description: EVENT_STREAM_TEXT },
      examples: { next: { summary: 'A subscription', value: EXAMPLE_STREAM } }
    }
  }
}

const DOCUMENT_ERRORS = [
  'GRAPHQL_PARSE_FAILED',
  'OPERATION_NAME_REQUIRED',
  'OPERATION_NOT_FOUND',
  'LIMIT_EXCEEDED',
  'SUBSCRIPTION_NOT_SUPPORTED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_HASH_MISMATCH'
] as const

const common = { tags: ['graphql'], headers: HeadersSchema }

export const postSchema = {
  ...common,
  operationId: 'executeGraphql',
  summary: 'Run a GraphQL operation',
  description: "Checks the document, runs it in Hasura with the service's credential, and returns the answer byte for byte.",
  body: BodySchema,
  response: {
    200: ANSWER,
    ...errorResponses([...BODY_ERRORS, ...DOCUMENT_ERRORS, ...RUN_ERRORS])
  }
}

export const getSchema = {
  ...common,
  operationId: 'executeGraphqlByGet',
  summary: 'Run a GraphQL query by GET',
  description:
    'Like POST, for queries, so that a link can run one, and for subscriptions, so that an EventSource can; a mutation is answered 405.',
  querystring: QuerystringSchema,
  response: { 200: ANSWER, ...errorResponses([...DOCUMENT_ERRORS, ...RUN_ERRORS]) }
}
