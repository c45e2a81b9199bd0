// GET /documentation: the page that shows the OpenAPI document, and the document itself. Both are made when first asked for.
import type { FastifyInstance, FastifyPluginAsync, RouteHandlerMethod } from 'fastify'

/** The addresses of the page, its files and the document: those of @fastify/swagger-ui. */
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

/** Hides the bar at the top: its field for other documents is of no use here. */
const STYLE = '.swagger-ui .topbar { display: none }'

/** What answers each of the addresses. */
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

  // Only the handlers come from the other instance: hooks, headers and errors are those of every page here.
  for (const url of URLS)
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      const handler = (await open()).get(url.replace(/\/$/, ''))
      if (!handler) throw new Error(`@fastify/swagger-ui has no ${url}`)
      return handler.call(app, request, reply)
    })
}

export default routes
