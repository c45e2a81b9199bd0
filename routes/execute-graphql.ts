// POST and GET /execute-graphql: runs a GraphQL document, given as text or by its id.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GatewayError } from '../src/errors.ts'
import { readMembers } from '../src/json.ts'
import { ErrorAnswerSchema } from './error-responses.ts'
import { AnswerSchema, getSchema, postSchema } from './execute-graphql.schema.ts'

const PATH = '/execute-graphql'

/** Returns the variables in a query string unchanged: the text of a JSON object. */
function readVariables(text: string | undefined): string | undefined {
  if (!text) return undefined
  try {
    const members = readMembers(text)
    const value: unknown = JSON.parse(text)
    if (value === null) return undefined
    if (members) return text
  } catch {
    // The error below names the parameter.
  }
  throw new GatewayError('INVALID_REQUEST', { message: 'querystring/variables must be a JSON object' })
}

/** Returns the extensions in a query string. */
function readExtensions(text: string | undefined): unknown {
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new GatewayError('INVALID_REQUEST', { message: 'querystring/extensions must be a JSON object' })
  }
}

const routes: FastifyPluginAsyncTypebox = async app => {
  app.addSchema(ErrorAnswerSchema)
  app.addSchema(AnswerSchema)
  const onRequest = app.checkAcceptAndRole

  app.post(PATH, { onRequest, schema: postSchema }, async (request, reply) => {
    const { variables, operationName } = request.body
    const text = variables ? request.bodyMembers?.get('variables') : undefined
    return reply.runOperation({ ...(await app.findDocument(request, request.body)), variables: text, operationName })
  })

  app.get(PATH, { onRequest, schema: getSchema, exposeHeadRoute: false }, async (request, reply) => {
    const { query, documentId, variables, operationName } = request.query
    const found = await app.findDocument(request, { query, documentId, extensions: readExtensions(request.query.extensions) })
    return reply.runOperation({ ...found, variables: readVariables(variables), operationName })
  })
}

export default routes
