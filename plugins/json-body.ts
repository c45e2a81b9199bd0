// Reads JSON bodies and keeps every digit; refuses every other media type.
import { isUtf8 } from 'node:buffer'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'
import { readMembers } from '../src/json.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether an empty body counts as no body, rather than as invalid JSON. Default false. */
    allowsEmptyBody?: boolean
  }
  interface FastifyRequest {
    /** The original text of each member of the body; undefined before the body is read, or if it is not a JSON object. */
    bodyMembers: ReadonlyMap<string, string> | undefined
  }
}

/** Decodes a body. JSON text must be UTF-8 (RFC 8259, section 8.1); a byte order mark is ignored, as the RFC allows. */
function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new GatewayError('INVALID_JSON', { message: 'The body is not UTF-8.' })
  const text = body.toString()
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

type Body = { value: unknown; members: ReadonlyMap<string, string> | undefined }

/**
 * Parses a body. The value is assembled from its members, so that it cannot differ from their texts: V8's parser (Node 24) reads the name
 * `"\u0061"` as a backslash if it has already seen one at that place in an object.
 */
function readBody(text: string): Body {
  const members = readMembers(text)
  if (members === undefined) return { value: JSON.parse(text), members }
  const values = [...members].map(([name, part]): [string, unknown] => [name, JSON.parse(part)])
  return { value: Object.fromEntries(values), members }
}

function parseBody(body: Buffer): Body {
  const text = textOf(body)
  try {
    return readBody(text)
  } catch (cause) {
    if (cause instanceof RangeError) throw new GatewayError('INVALID_REQUEST', { message: `The body is ${cause.message}.`, cause })
    throw new GatewayError('INVALID_JSON', { cause })
  }
}

export default fp(
  async app => {
    app.decorateRequest('bodyMembers', undefined)
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
      app.shrinkBody(request, body.length)
      if (body.length === 0 && request.routeOptions.config.allowsEmptyBody) return done(null, undefined)
      try {
        const { value, members } = parseBody(body)
        request.bodyMembers = members
        done(null, value)
      } catch (error) {
        done(error as Error)
      }
    })
  },
  { name: 'jsonBody', dependencies: ['admission'] }
)
