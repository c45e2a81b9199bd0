// GET /documentation: the page that shows the OpenAPI document, and the document itself.
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'

/** Hides the bar at the top: its field for other documents is of no use here. */
const STYLE = '.swagger-ui .topbar { display: none }'

const routes: FastifyPluginAsync = async app => {
  await app.register(swaggerUi, {
    routePrefix: '/documentation',
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true },
    theme: { title: 'Documentation – Cognito-Hasura gateway', css: [{ filename: 'gateway.css', content: STYLE }] }
  })
}

export default routes
