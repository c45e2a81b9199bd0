// Reads JSON bodies without losing a digit, and refuses every other media type.
import { isUtf8 } from 'node:buffer'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'
import { parseLossless } from '../src/json.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether an empty body is none, rather than broken JSON. Default false. */
    allowsEmptyBody?: boolean
  }
}

/** JSON text is UTF-8 and no other encoding (RFC 8259, section 8.1); a byte order mark is ignored, as it allows. */
function parseBody(body: Buffer): unknown {
  if (!isUtf8(body)) throw new GatewayError('INVALID_JSON', { message: 'The body is not UTF-8.' })
  const text = body.toString()
  try {
    return parseLossless(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch (cause) {
    if (cause instanceof RangeError) throw new GatewayError('INVALID_REQUEST', { message: 'The body is nested too deeply.' })
    throw new GatewayError('INVALID_JSON', { cause })
  }
}

export default fp(
  async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
      try {
        done(null, body.length === 0 && request.routeOptions.config.allowsEmptyBody ? undefined : parseBody(body))
      } catch (error) {
        done(error as Error)
      }
    })
  },
  { name: 'jsonBody' }
)
