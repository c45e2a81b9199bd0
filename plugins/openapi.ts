// The OpenAPI 3.1 document, made from the routes' schemas, and the page that shows it.
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const DESCRIPTION = `Send a GraphQL query as plain JSON and get Hasura's answer back as it is.

* The service signs in to Hasura by itself: **no token of Hasura is needed or taken**.
* An answer of Hasura reaches you byte for byte with Hasura's status; Hasura v2 says **200 even where the body holds errors**, so look at
  \`errors\` in the body, or send \`Accept: application/graphql-response+json\` to get 400 where nothing was executed.
* An error of the service itself has the same shape, with a stable code in \`errors[0].extensions.code\`.
* Every answer carries \`x-request-id\`; name it when you report a problem.`

export default fp(
  async app => {
    if (!app.config.DOCS_ENABLED) return
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
        security: [],
        tags: [
          { name: 'graphql', description: 'Run GraphQL operations' },
          { name: 'health', description: 'Is the service alive, and can it serve' }
        ]
      }
    })
    await app.register(swaggerUi, { routePrefix: '/documentation', uiConfig: { docExpansion: 'list', tryItOutEnabled: true } })
  },
  { name: 'openapi', dependencies: ['config'] }
)
