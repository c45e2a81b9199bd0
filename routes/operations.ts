// GET and POST /operations/<name>: runs a stored operation; GET /operations lists them.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { GatewayError } from '../src/errors.ts'
import type { OperationCatalog } from '../src/stored-operations/operation-catalog.ts'
import type { QueryText } from '../src/stored-operations/read-query-text.ts'
import type { StoredOperation } from '../src/stored-operations/stored-operation.ts'
import { ErrorAnswerSchema } from './error-responses.ts'
import { listSchema } from './operations.schema.ts'

const PATH = '/operations'
const METHODS = { list: ['GET', 'HEAD'], query: ['GET', 'POST'], mutation: ['POST'], subscription: ['GET', 'POST'] } as const

/** A stored operation, and the catalog in which it was found; a request uses no other catalog. */
type FoundOperation = { readonly operation: StoredOperation; readonly catalog: OperationCatalog }

declare module 'fastify' {
  interface FastifyRequest {
    /** The operation that a request to /operations/<name> runs. */
    storedOperation: FoundOperation | undefined
  }
}

/** Returns the entry of an operation in the list. */
const entryOf = ({ name, kind, description, variables }: StoredOperation, isAvailable: boolean) => ({
  name,
  kind,
  variables: variables.map(({ name, type, isRequired, defaultValue }) => ({
    name,
    type,
    required: isRequired,
    ...(defaultValue !== undefined && { default: defaultValue })
  })),
  ...(description && { description }),
  ...(!isAvailable && { available: false as const })
})

/** Returns a function that caches its result for the latest catalog. */
function oncePerCatalog<T, Rest extends unknown[]>(make: (catalog: OperationCatalog, ...rest: Rest) => T) {
  let last: { catalog: OperationCatalog; made: T } | undefined
  return (catalog: OperationCatalog, ...rest: Rest): T => {
    if (last?.catalog !== catalog) last = { catalog, made: make(catalog, ...rest) }
    return last.made
  }
}

/**
 * Finds the operation that a path names, before the body is read; also for methods that have no route.
 * @throws {GatewayError} `NOT_FOUND`, `METHOD_NOT_ALLOWED`
 */
function createLookup({ operations }: FastifyInstance): onRequestHookHandler {
  return (request, _, done) => {
    const { name = nameIn(request.url) } = request.params as { name?: string }
    const catalog = operations.current
    const operation = name === undefined ? undefined : catalog.get(name)
    if (operation === undefined && name !== undefined) return done(new GatewayError('NOT_FOUND'))
    const methods: readonly string[] = METHODS[operation?.kind ?? 'list']
    if (!methods.includes(request.method)) return done(new GatewayError('METHOD_NOT_ALLOWED', { headers: { allow: methods.join(', ') } }))
    request.storedOperation = operation && { operation, catalog }
    request.storedOperationName = operation?.name
    done()
  }
}

/** Returns the name in the URL of a request that has no route; undefined for the list. */
function nameIn(url: string): string | undefined {
  const [path = ''] = url.split('?', 1)
  return path === PATH ? undefined : path.slice(PATH.length + 1)
}

const routes: FastifyPluginAsyncTypebox = async app => {
  const { operations } = app
  app.addSchema(ErrorAnswerSchema)
  app.decorateRequest('storedOperation', undefined)
  app.addHook('onRequest', app.awaitOperations)
  app.addHook('onRequest', createLookup(app))
  app.setNotFoundHandler(() => {
    throw new GatewayError('NOT_FOUND')
  })
  const onRequest = app.checkAcceptAndRole
  app.addToDocument(async () => {
    await operations.whenReady()
    const { describeOperations } = await import('./operations/openapi-part.ts')
    const describe = oncePerCatalog(describeOperations)
    return document => describe(operations.current, document)
  })

  const list = oncePerCatalog(({ operations, misfits }) => ({
    operations: operations.map(operation => entryOf(operation, !misfits.has(operation)))
  }))
  app.get('/', { onRequest, schema: listSchema, prefixTrailingSlash: 'no-slash' }, async request => {
    // The list is not sent as an event stream.
    if (request.eventsFor === 'everything') throw new GatewayError('NOT_ACCEPTABLE')
    return list(operations.current)
  })

  // One route for all operations: with a route for each, Fastify's start-up time would grow with the square of their number.
  app.route({
    method: ['GET', 'POST'],
    url: '/:name',
    onRequest,
    schema: { hide: true },
    config: { allowsEmptyBody: true },
    exposeHeadRoute: false,
    handler: (request, reply) => {
      if (request.storedOperation === undefined) throw new GatewayError('NOT_FOUND')
      const { operation, catalog } = request.storedOperation
      const { document } = operation
      request.operation = document.operations[0]
      const read = catalog.variablesOf(operation)
      const isGet = request.method === 'GET'
      const variables = isGet
        ? read.fromQuery(request.query as Record<string, QueryText>)
        : read.fromBody(request.body, request.bodyMembers)
      const isCurrent = () => operations.current.get(operation.name)?.document.text === document.text
      return reply.runOperation({ document, operationName: undefined, variables, isCurrent })
    }
  })
}

export default routes
