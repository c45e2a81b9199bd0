// GET and POST /operations/<name>: runs a stored operation; GET /operations lists them.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { onRequestHookHandler } from 'fastify'
import { createCallerCheck, createOperationRunner } from '../plugins/run-operation.ts'
import { GatewayError } from '../src/errors.ts'
import type { OperationCatalog } from '../src/stored-operations/operation-catalog.ts'
import type { QueryText } from '../src/stored-operations/read-query-text.ts'
import type { StoredOperation } from '../src/stored-operations/stored-operation.ts'
import { literalValue } from '../src/stored-operations/variable-declaration.ts'
import { ErrorAnswerSchema } from './error-responses.ts'
import { listSchema } from './operations.schema.ts'
import { createDescription } from './operations-document.ts'

const PATH = '/operations'
const METHODS = { list: ['GET', 'HEAD'], query: ['GET', 'POST'], mutation: ['POST'] } as const

declare module 'fastify' {
  interface FastifyRequest {
    /** What a request of /operations/<name> runs. */
    storedOperation: StoredOperation | undefined
  }
}

/** An operation as the list shows it. */
const entryOf = ({ name, kind, description, variables }: StoredOperation) => ({
  name,
  kind,
  ...(description && { description }),
  variables: variables.map(({ name, type, isRequired, defaultValue }) => ({
    name,
    type,
    required: isRequired,
    ...(defaultValue && { default: literalValue(defaultValue) })
  }))
})

/**
 * Finds what a path names among what was read at start, before the body is looked at; also for methods that are not routed.
 * @throws {GatewayError} `NOT_FOUND`, `METHOD_NOT_ALLOWED`
 */
function createLookup({ operations }: OperationCatalog): onRequestHookHandler {
  const byPath = new Map(operations.map(operation => [`${PATH}/${operation.name}`, operation]))
  return (request, _, done) => {
    const { name } = request.params as { name?: string }
    const path = name === undefined ? request.url.split('?', 1)[0] : `${PATH}/${name}`
    const operation = byPath.get(path ?? '')
    if (operation === undefined && path !== PATH) return done(new GatewayError('NOT_FOUND'))
    const methods: readonly string[] = METHODS[operation?.kind ?? 'list']
    if (!methods.includes(request.method)) return done(new GatewayError('METHOD_NOT_ALLOWED', { headers: { allow: methods.join(', ') } }))
    request.storedOperation = operation
    done()
  }
}

const routes: FastifyPluginAsyncTypebox = async app => {
  const { operations } = app
  app.addSchema(ErrorAnswerSchema)
  app.decorateRequest('storedOperation', undefined)
  app.addHook('onRequest', createLookup(operations))
  app.setNotFoundHandler(() => {
    throw new GatewayError('NOT_FOUND')
  })
  const onRequest = createCallerCheck(app)
  const run = createOperationRunner(app)
  app.addToDocument(createDescription(operations))

  let list: { operations: ReturnType<typeof entryOf>[] } | undefined
  app.get('/', { onRequest, schema: listSchema, prefixTrailingSlash: 'no-slash' }, async () => {
    list ??= { operations: operations.operations.map(entryOf) }
    return list
  })

  // One route for all, since the time that Fastify takes at start grows with the square of the number of routes.
  app.route({
    method: ['GET', 'POST'],
    url: '/:name',
    onRequest,
    schema: { hide: true },
    config: { allowsEmptyBody: true },
    exposeHeadRoute: false,
    handler: (request, reply) => {
      const operation = request.storedOperation
      if (operation === undefined) throw new GatewayError('NOT_FOUND')
      const { document } = operation
      request.operation = document.operations[0]
      const read = operations.variablesOf(operation)
      const isGet = request.method === 'GET'
      if (isGet) reply.vary('accept')
      const variables = isGet
        ? read.fromQuery(request.query as Record<string, QueryText>)
        : read.fromBody(request.body, request.bodyMembers)
      return run(request, reply, { document, operationName: undefined, variables })
    }
  })
}

export default routes
