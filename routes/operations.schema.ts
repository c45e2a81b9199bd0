// The schema of GET /operations.
import { Type } from '@sinclair/typebox'
import { JSON_TYPE } from '../src/graphql/negotiation.ts'
import { errorResponses, REQUEST_ID_HEADER } from './error-responses.ts'

const VariableSchema = Type.Object({
  name: Type.String(),
  type: Type.String({ description: 'As GraphQL writes it.', examples: ['[Int!]!'] }),
  required: Type.Boolean(),
  default: Type.Optional(Type.Unsafe<unknown>({ description: 'The value it has unless one is given.' }))
})

const StoredOperationSchema = Type.Object({
  name: Type.String({ description: 'Its route is `/operations/<name>`.' }),
  kind: Type.Union([Type.Literal('query'), Type.Literal('mutation'), Type.Literal('subscription')]),
  description: Type.Optional(Type.String()),
  variables: Type.Array(VariableSchema),
  available: Type.Optional(
    Type.Literal(false, {
      description: "Present while the operation does not fit Hasura's schema and is answered `OPERATION_UNAVAILABLE`."
    })
  )
})

/** The schema of the list. */
export const listSchema = {
  tags: ['operations'],
  operationId: 'listOperations',
  summary: 'The stored operations',
  description: 'What can run by name, with its variables. A query or a subscription runs by GET or POST, a mutation by POST.',
  response: {
    200: {
      description: 'In the order of their names.',
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
