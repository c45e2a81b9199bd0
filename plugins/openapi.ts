// Builds the OpenAPI 3.1 document on first use, from the routes' schemas and the parts that other plugins add.
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { OpenAPIV3_1 } from 'openapi-types'
import { schemaController } from '../src/schema-compilers.ts'
import { serviceVersion } from '../src/version.ts'

/** The document that is generated from the routes' schemas. */
type RoutesDocument = OpenAPIV3_1.Document & { paths: OpenAPIV3_1.PathsObject }

/** Returns paths and components to add to a document. It is called for each request, and its result may differ each time. */
type DocumentPart = (document: RoutesDocument) => {
  readonly paths: OpenAPIV3_1.PathsObject
  readonly components: Readonly<Record<string, object>>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Adds a part to the OpenAPI document, which is loaded on first use; no effect if DOCS_ENABLED is false. */
    addToDocument(load: () => Promise<DocumentPart>): void
    /** Creates an instance, not ready yet, whose `swagger` returns the document; present only if DOCS_ENABLED is true. */
    createDocumentInstance(): Promise<FastifyInstance>
  }
}

const DESCRIPTION = `Send a GraphQL query as plain JSON and get Hasura's response back unchanged.

* The service authenticates to Hasura itself: **you do not need a Hasura token, and the service accepts none**.
* Hasura's response reaches you byte for byte, with Hasura's status. Hasura v2 returns **200 even when the body contains errors**, so check
  \`errors\` in the body, or send \`Accept: application/graphql-response+json\` to get 400 when nothing was executed.
* The service's own errors have the same shape, with a stable code in \`errors[0].extensions.code\`.
* Every response carries \`x-request-id\`; quote it when you report a problem.`

/** The decorator under which @fastify/swagger provides its document. */
const ROUTES_DOCUMENT = 'routesDocument'

/** The security schemes by kind of CALLER_AUTH, with their names in the document. */
const SECURITY_SCHEMES: Readonly<Record<string, [string, OpenAPIV3_1.SecuritySchemeObject][]>> = {
  'api-key': [
    ['apiKey', { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'Your key.' }],
    ['bearerKey', { type: 'http', scheme: 'bearer', description: 'Your key as a bearer token.' }],
    ['basicKey', { type: 'http', scheme: 'basic', description: 'Any user name, and your key as the password.' }]
  ],
  jwt: [['bearerJwt', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Your access token.' }]]
}

/** Returns the security requirement: any one of the enabled schemes; empty if callers need not be known. */
const securityOf = (kinds: readonly string[]) =>
  kinds.flatMap(kind => SECURITY_SCHEMES[kind] ?? []).map(([name]) => ({ [name]: [] as string[] }))

function merge(document: RoutesDocument, parts: readonly DocumentPart[]): RoutesDocument {
  const whole = { ...document, paths: { ...document.paths }, components: { ...document.components } as Record<string, object> }
  for (const part of parts) {
    const { paths, components } = part(whole)
    Object.assign(whole.paths, paths)
    for (const [kind, added] of Object.entries(components)) whole.components[kind] = { ...whole.components[kind], ...added }
  }
  return whole
}

/** Collects the routes that are not hidden; returns a function that adds them, with the schemas that they use, to another instance. */
function collectRoutes(app: FastifyInstance): (other: FastifyInstance) => void {
  const routes: RouteOptions[] = []
  const scopes = new Set<FastifyInstance>()
  app.addHook('onRoute', function (route) {
    if (route.method === 'HEAD' || route.schema?.hide) return
    routes.push(route)
    scopes.add(this)
  })
  return other => {
    const sharedSchemas: Record<string, unknown> = Object.assign({}, ...Array.from(scopes, scope => scope.getSchemas()))
    for (const schema of Object.values(sharedSchemas)) other.addSchema(schema)
    for (const { method, url, schema } of routes) other.route({ method, url, ...(schema && { schema }), handler: () => {} })
  }
}

/** Creates an instance whose `swagger` returns the document. Its routes are only described, never called. */
async function createDocumentInstance(
  kinds: readonly string[],
  addRoutes: (instance: FastifyInstance) => void,
  loadParts: readonly (() => Promise<DocumentPart>)[]
): Promise<FastifyInstance> {
  const { default: swagger } = await import('@fastify/swagger')
  const parts = await Promise.all(loadParts.map(load => load()))
  const schemes = kinds.flatMap(kind => SECURITY_SCHEMES[kind] ?? [])
  const instance = Fastify({ schemaController, exposeHeadRoutes: false })
  instance.setValidatorCompiler(() => () => true)
  await instance.register(swagger, {
    decorator: ROUTES_DOCUMENT,
    refResolver: { buildLocalReference: ({ $id }, _base, _fragment, index) => (typeof $id === 'string' ? $id : `schema${index}`) },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cognito-Hasura gateway',
        version: serviceVersion,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: '/', description: 'this service' }],
      security: securityOf(kinds),
      // With an empty object, the page would show a form for credentials that are not needed.
      ...(schemes.length > 0 && { components: { securitySchemes: Object.fromEntries(schemes) } }),
      tags: [
        { name: 'operations', description: 'Run stored operations by name' },
        { name: 'graphql', description: 'Run GraphQL operations' },
        { name: 'health', description: 'Whether the service is alive and ready' }
      ]
    }
  })
  addRoutes(instance)
  // The plugin caches its document; parts may change, so they are merged in at each request.
  const ofRoutes = instance.getDecorator<() => RoutesDocument>(ROUTES_DOCUMENT)
  const whole = (options?: { yaml?: boolean }) => {
    const document = merge(ofRoutes(), parts)
    // JSON is valid YAML.
    return options?.yaml ? JSON.stringify(document, undefined, 2) : document
  }
  instance.decorate('swagger', whole as FastifyInstance['swagger'])
  return instance
}

export default fp(
  async app => {
    const { DOCS_ENABLED: isOn, CALLER_AUTH: kinds } = app.config
    const loadParts: (() => Promise<DocumentPart>)[] = []
    app.decorate('addToDocument', (load: () => Promise<DocumentPart>) => void loadParts.push(load))
    if (!isOn) return
    const addRoutes = collectRoutes(app)
    app.decorate('createDocumentInstance', () => createDocumentInstance([...kinds], addRoutes, loadParts))
  },
  { name: 'openapi', dependencies: ['config'] }
)
