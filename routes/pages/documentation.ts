// GET /documentation: the OpenAPI document and the page that shows it. Both are created on the first request.
import type { FastifyInstance, FastifyPluginAsync, RouteHandlerMethod } from 'fastify'

/** The paths of @fastify/swagger-ui: the page, its files and the document. */
const URLS = [
  '/documentation',
  '/documentation/',
  '/documentation/json',
  '/documentation/yaml',
  '/documentation/static/index.html',
  '/documentation/static/swagger-initializer.js',
  '/documentation/static/theme/gateway.css',
  '/documentation/static/*'
]

/** Hides the bar at the top, since its field for other documents is useless here. */
const STYLE = '.swagger-ui .topbar { display: none }'

/** The handler for each path. */
type Handlers = ReadonlyMap<string, RouteHandlerMethod>

async function createPage(app: FastifyInstance): Promise<Handlers> {
  const instance = await app.createDocumentInstance()
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const handlers = new Map<string, RouteHandlerMethod>()
  instance.addHook('onRoute', ({ url, handler }) => void handlers.set(url, handler))
  await instance.register(swaggerUi, {
    routePrefix: '/documentation',
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true },
    theme: { title: 'Documentation – Cognito-Hasura gateway', css: [{ filename: 'gateway.css', content: STYLE }] }
  })
  await instance.ready()
  return handlers
}

const routes: FastifyPluginAsync = async app => {
  let page: Promise<Handlers> | undefined
  const open = () => {
    page ??= createPage(app).catch(error => {
      page = undefined
      throw error
    })
    return page
  }

  // Only the handlers come from the other instance; hooks, headers and errors are those of this one.
  for (const url of URLS)
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      const handler = (await open()).get(url.replace(/\/$/, ''))
      if (!handler) throw new Error(`@fastify/swagger-ui has no ${url}`)
      return handler.call(app, request, reply)
    })
}

export default routes
