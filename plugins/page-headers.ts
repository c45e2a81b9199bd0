// The headers of pages for people: a content security policy that keeps foreign scripts out of them, and its like.
import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

export default fp(
  async app => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          baseUri: ["'none'"],
          // GraphiQL's fonts stand within its style sheet.
          fontSrc: ["'self'", 'data:'],
          formAction: ["'self'"],
          frameAncestors: ["'none'"],
          imgSrc: ["'self'", 'data:'],
          objectSrc: ["'none'"],
          // Swagger UI and GraphiQL's editor set styles in their elements.
          styleSrc: ["'self'", "'unsafe-inline'"]
        }
      },
      // Whether the host is reached by https alone is for whoever ends TLS in front of it.
      strictTransportSecurity: false
    })
  },
  { name: 'pageHeaders' }
)
