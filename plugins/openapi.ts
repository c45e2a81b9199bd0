// The OpenAPI 3.1 document, made from the routes' schemas, and the page that shows it.
import { readFileSync } from 'node:fs'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { OpenAPIV3_1 } from 'openapi-types'
import { listOf } from '../src/config.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const DESCRIPTION = `Send a GraphQL query as plain JSON and get Hasura's answer back as it is.

* The service signs in to Hasura by itself: **no token of Hasura is needed or taken**.
* An answer of Hasura reaches you byte for byte with Hasura's status; Hasura v2 says **200 even where the body holds errors**, so look at
  \`errors\` in the body, or send \`Accept: application/graphql-response+json\` to get 400 where nothing was executed.
* An error of the service itself has the same shape, with a stable code in \`errors[0].extensions.code\`.
* Every answer carries \`x-request-id\`; name it when you report a problem.`

/** The security schemes by kind of CALLER_AUTH, with their names in the document. */
const SECURITY_SCHEMES: Readonly<Record<string, [string, OpenAPIV3_1.SecuritySchemeObject][]>> = {
  'api-key': [
    ['apiKey', { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'Your key.' }],
    ['bearerKey', { type: 'http', scheme: 'bearer', description: 'Your key as a bearer token.' }]
  ],
  jwt: [['bearerJwt', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token of your own.' }]]
}

/** One of the schemes that are on is enough; none where callers need not be known. */
const securityOf = (kinds: readonly string[]) =>
  kinds.flatMap(kind => SECURITY_SCHEMES[kind] ?? []).map(([name]) => ({ [name]: [] as string[] }))

/** The page, under the same rule as the operations, and with headers that keep foreign scripts out of it. */
const pages: FastifyPluginAsync = async scope => {
  for (const check of [scope.identifyCaller, scope.limitRate, scope.requireCaller]) if (check) scope.addHook('onRequest', check)
  await scope.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        // Swagger UI sets styles in its elements.
        styleSrc: ["'self'", "'unsafe-inline'"]
      }
    },
    // Whether the host is reached by https alone is for whoever ends TLS in front of it.
    strictTransportSecurity: false
  })
  await scope.register(swaggerUi, { routePrefix: '/documentation', uiConfig: { docExpansion: 'list', tryItOutEnabled: true } })
}

export default fp(
  async app => {
    if (!app.config.DOCS_ENABLED) return
    const kinds = listOf(app.config.CALLER_AUTH)
    await app.register(swagger, {
      refResolver: { buildLocalReference: ({ $id }, _base, _fragment, index) => (typeof $id === 'string' ? $id : `schema${index}`) },
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Cognito-Hasura gateway',
          version,
          description: DESCRIPTION,
          license: { name: 'MIT', identifier: 'MIT' }
        },
        servers: [{ url: '/', description: 'this service' }],
        security: securityOf(kinds),
        components: { securitySchemes: Object.fromEntries(kinds.flatMap(kind => SECURITY_SCHEMES[kind] ?? [])) },
        tags: [
          { name: 'graphql', description: 'Run GraphQL operations' },
          { name: 'health', description: 'Is the service alive, and can it serve' }
        ]
      }
    })
    await app.register(pages)
  },
  { name: 'openapi', dependencies: ['config', 'callers', 'rateLimit'] }
)
