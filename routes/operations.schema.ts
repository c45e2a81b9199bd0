// The schema of GET /operations, which describes it in the OpenAPI document.
import { Type } from '@sinclair/typebox'
import { JSON_TYPE } from '../src/graphql/negotiation.ts'
import { errorResponses, REQUEST_ID_HEADER } from './error-responses.ts'

const VariableSchema = Type.Object({
  name: Type.String(),
  type: Type.String({ description: 'In the notation of GraphQL.', examples: ['[Int!]!'] }),
  required: Type.Boolean(),
  default: Type.Optional(Type.Unsafe<unknown>({ description: 'The default value.' }))
})

const StoredOperationSchema = Type.Object({
  name: Type.String({ description: 'The name in the route `/operations/<name>`.' }),
  kind: Type.Union([Type.Literal('query'), Type.Literal('mutation'), Type.Literal('subscription')]),
  description: Type.Optional(Type.String()),
  variables: Type.Array(VariableSchema),
  available: Type.Optional(
    Type.Literal(false, {
      description: "Present while the operation does not match Hasura's schema and is answered `OPERATION_UNAVAILABLE`."
    })
  )
})

/** The schema of the route. */
export const listSchema = {
  tags: ['operations'],
  operationId: 'listOperations',
  summary: 'The stored operations',
  description:
    'Lists the operations that run by name, with their variables. Queries and subscriptions run by GET or POST, mutations by POST.',
  response: {
    200: {
      description: 'The operations, sorted by name.',
      headers: REQUEST_ID_HEADER,
      content: { [JSON_TYPE]: { schema: Type.Object({ operations: Type.Array(StoredOperationSchema) }) } }
    },
    ...errorResponses([
      'UNAUTHENTICATED',
      'ROLE_NOT_ALLOWED',
      'CROSS_SITE_REQUEST',
      'NOT_ACCEPTABLE',
      'MISDIRECTED_REQUEST',
      'RATE_LIMITED',
      'INTERNAL_ERROR',
      'OVERLOADED',
      'SHUTTING_DOWN'
    ])
  }
}
