// What the OpenAPI document says of the stored operations: the list's schema, and what all operations have in common.
import { Type } from '@fastify/type-provider-typebox'
import { GRAPHQL_RESPONSE_TYPE, JSON_TYPE } from '../src/graphql/negotiation.ts'
import type { CommonParts } from '../src/stored-operations/openapi-operation.ts'
import { BODY_ERRORS, errorResponses, REQUEST_ID_HEADER, RUN_ERRORS } from './error-responses.ts'

const VariableSchema = Type.Object({
  name: Type.String(),
  type: Type.String({ description: 'As GraphQL writes it.', examples: ['[Int!]!'] }),
  required: Type.Boolean(),
  default: Type.Optional(Type.Unsafe<unknown>({ description: 'The value it has unless one is given.' }))
})

const StoredOperationSchema = Type.Object({
  name: Type.String({ description: 'Its route is `/operations/<name>`.' }),
  kind: Type.Union([Type.Literal('query'), Type.Literal('mutation')]),
  description: Type.Optional(Type.String()),
  variables: Type.Array(VariableSchema)
})

export const listSchema = {
  tags: ['operations'],
  operationId: 'listOperations',
  summary: 'The stored operations',
  description: 'What can run by name, with its variables. A query runs by GET or POST, a mutation by POST.',
  response: {
    200: {
      description: 'In the order of their names.',
      headers: REQUEST_ID_HEADER,
      content: { [JSON_TYPE]: { schema: Type.Object({ operations: Type.Array(StoredOperationSchema) }) } }
    },
    ...errorResponses([
      'UNAUTHENTICATED',
      'ROLE_NOT_ALLOWED',
      'NOT_ACCEPTABLE',
      'RATE_LIMITED',
      'INTERNAL_ERROR',
      'OVERLOADED',
      'SHUTTING_DOWN'
    ])
  }
}

type Response = { headers: Record<string, { description: string }>; content: object; description: string }

/** A header as OpenAPI has it, of one that is written as a schema. */
const headers = Object.fromEntries(
  Object.entries(REQUEST_ID_HEADER).map(([name, { description, ...schema }]) => [name, { description, schema }])
)

/** The error answers of an operation as components, by names such as `StoredOperationError400`. */
export const ERROR_COMPONENTS = Object.fromEntries(
  Object.entries(errorResponses([...BODY_ERRORS, ...RUN_ERRORS])).map(([status, response]) => {
    const { content, description } = response as unknown as Response
    const text = JSON.stringify(content).replaceAll('"ErrorAnswer#"', '"#/components/schemas/ErrorAnswer"')
    return [`StoredOperationError${status}`, { description, headers, content: JSON.parse(text) as object }]
  })
)

const referTo = (statuses: readonly string[]) =>
  Object.fromEntries(statuses.map(status => [status, { $ref: `#/components/responses/StoredOperationError${status}` }]))

const GET_ERRORS = referTo(Object.keys(errorResponses(RUN_ERRORS)))
const POST_ERRORS = referTo(Object.keys(errorResponses([...RUN_ERRORS, ...BODY_ERRORS])))

const header = (name: string, description: string) => ({ name, in: 'header', description, schema: { type: 'string' } })

/** The parameters of every operation as components. */
export const PARAMETER_COMPONENTS = {
  RequestId: header('x-request-id', 'Your id for the request, 1 to 128 of `[A-Za-z0-9._-]`; it comes back and goes to Hasura.'),
  HasuraRole: header('x-hasura-role', 'The Hasura role to act as, if the service allows it.')
}

/** What every operation's entry in the document has in common. */
export const COMMON_PARTS: CommonParts = {
  tags: ['operations'],
  parameters: Object.keys(PARAMETER_COMPONENTS).map(name => ({ $ref: `#/components/parameters/${name}` })),
  errorsOf: (_, method) => (method === 'get' ? GET_ERRORS : POST_ERRORS),
  answerOf: schema => ({
    description: "Hasura's answer as it came. With `application/json` also where it holds errors.",
    headers,
    content: { [JSON_TYPE]: { schema }, [GRAPHQL_RESPONSE_TYPE]: { schema } }
  })
}
