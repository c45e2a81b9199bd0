// POST and GET /execute-graphql: any GraphQL document, checked by its text.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../src/errors.ts'
import { type CheckedDocument, createDocumentCheck } from '../src/graphql/document.ts'
import { readMembers } from '../src/json.ts'
import { ErrorAnswerSchema } from './error-responses.ts'
import { AnswerSchema, getSchema, postSchema } from './execute-graphql.schema.ts'

const PATH = '/execute-graphql'

/** Returns the variables of a query string as they came: the text of a JSON object. */
function readVariables(text: string | undefined): string | undefined {
  if (!text) return undefined
  try {
    const members = readMembers(text)
    const value: unknown = JSON.parse(text)
    if (value === null) return undefined
    if (members) return text
  } catch {
    // Falls through to the error that names the parameter.
  }
  throw new GatewayError('INVALID_REQUEST', { message: 'querystring/variables must be a JSON object' })
}

const routes: FastifyPluginAsyncTypebox = async app => {
  const { config } = app
  const check = createDocumentCheck({
    maxDepth: config.GRAPHQL_MAX_DEPTH,
    maxTokens: config.GRAPHQL_MAX_TOKENS,
    maxFields: config.GRAPHQL_MAX_FIELDS,
    maxAliases: config.GRAPHQL_MAX_ALIASES,
    maxDirectives: config.GRAPHQL_MAX_DIRECTIVES
  })
  app.addSchema(ErrorAnswerSchema)
  app.addSchema(AnswerSchema)
  const onRequest = app.checkAcceptAndRole
  /** Returns the document that runs: the caller's own, or the stored one that it equals if no other may run. */
  const allowed = ({ caller }: FastifyRequest, document: CheckedDocument): CheckedDocument =>
    config.GRAPHQL_ADHOC && caller?.adhoc !== false ? document : app.operations.current.require(document).document

  app.post(PATH, { onRequest, schema: postSchema }, async (request, reply) => {
    const { query, variables, operationName } = request.body
    const text = variables ? request.bodyMembers?.get('variables') : undefined
    return reply.runOperation({ document: allowed(request, check(query)), variables: text, operationName })
  })

  app.get(PATH, { onRequest, schema: getSchema, exposeHeadRoute: false }, async (request, reply) => {
    const { query, variables, operationName } = request.query
    reply.vary('accept')
    return reply.runOperation({ document: allowed(request, check(query)), variables: readVariables(variables), operationName })
  })
}

export default routes
