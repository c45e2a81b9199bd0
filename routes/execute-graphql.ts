// POST and GET /execute-graphql: any GraphQL document, checked by its text.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createCallerCheck, createOperationRunner } from '../plugins/run-operation.ts'
import { GatewayError } from '../src/errors.ts'
import { createDocumentCheck } from '../src/graphql/document.ts'
import { readMembers } from '../src/json.ts'
import { ErrorAnswerSchema } from './error-responses.ts'
import { getSchema, postSchema } from './execute-graphql.schema.ts'
import { createAdhocGate } from './operations-adhoc.ts'

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
  const onRequest = createCallerCheck(app)
  const run = createOperationRunner(app)
  const allowed = createAdhocGate(app)

  app.post(PATH, { onRequest, schema: postSchema }, (request, reply) => {
    const { query, variables, operationName } = request.body
    const text = variables ? request.bodyMembers?.get('variables') : undefined
    run(request, reply, { document: allowed(request, check(query)), variables: text, operationName })
  })

  app.get(PATH, { onRequest, schema: getSchema, exposeHeadRoute: false }, (request, reply) => {
    const { query, variables, operationName } = request.query
    reply.vary('accept')
    run(request, reply, { document: allowed(request, check(query)), variables: readVariables(variables), operationName })
  })
}

export default routes
