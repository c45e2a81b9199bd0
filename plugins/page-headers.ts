// Sets the security headers of pages, above all a content security policy that blocks foreign scripts.
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
          // GraphiQL's style sheet embeds its fonts.
          fontSrc: ["'self'", 'data:'],
          formAction: ["'self'"],
          frameAncestors: ["'none'"],
          imgSrc: ["'self'", 'data:'],
          objectSrc: ["'none'"],
          // Swagger UI and GraphiQL's editor use style attributes.
          styleSrc: ["'self'", "'unsafe-inline'"]
        }
      },
      // HSTS is the responsibility of the proxy that terminates TLS.
      strictTransportSecurity: false
    })
  },
  { name: 'pageHeaders' }
)
