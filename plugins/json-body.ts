// Reads JSON bodies without losing a digit, and refuses every other media type.
import { isUtf8 } from 'node:buffer'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'
import { readMembers } from '../src/json.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether an empty body counts as no body, rather than as broken JSON. Default false. */
    allowsEmptyBody?: boolean
  }
  interface FastifyRequest {
    /** The text of each member of the body, as it came; undefined where the body is no JSON object. Set once the body has been read. */
    bodyMembers: ReadonlyMap<string, string> | undefined
  }
}

/** JSON text is UTF-8 and no other encoding (RFC 8259, section 8.1); a byte order mark is ignored, as it allows. */
function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new GatewayError('INVALID_JSON', { message: 'The body is not UTF-8.' })
  const text = body.toString()
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

type Body = { value: unknown; members: ReadonlyMap<string, string> | undefined }

/**
 * The value is put together from its members, so that it can not differ from their texts: V8's parser (Node 24) reads the name `"\u0061"` as
 * a backslash, if it met one at that place of an object before.
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
