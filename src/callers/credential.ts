// Finds a caller's credential in a request.
import type { IncomingHttpHeaders } from 'node:http'

/** A credential as sent; `bearer` may be a key or a JWT. */
type Credential = { readonly kind: 'key' | 'bearer'; readonly value: string }

const BEARER = /^bearer +([^\s,]+)$/i
const BASIC = /^basic +([\w+/-]+={0,2})$/i

/**
 * Returns the credential of a request: `x-api-key`, else `Authorization`, as `Bearer` (RFC 6750, section 2.1) or as `Basic` with the key
 * as password (RFC 7617, section 2). Undefined if there is none, or if its header occurs more than once, since it is then unclear which
 * one applies.
 */
export function readCredential(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): Credential | undefined {
  const key = headers['x-api-key']
  if (key !== undefined) {
    return typeof key === 'string' && key !== '' && timesIn(rawHeaders, 'x-api-key') === 1 ? { kind: 'key', value: key } : undefined
  }
  const { authorization } = headers
  if (authorization === undefined || timesIn(rawHeaders, 'authorization') > 1) return undefined
  const token = BEARER.exec(authorization)?.[1]
  if (token !== undefined) return { kind: 'bearer', value: token }
  const password = passwordOf(authorization)
  return password ? { kind: 'key', value: password } : undefined
}

/** Returns the password of Basic credentials: everything after the first colon, since a user name cannot contain one. */
function passwordOf(authorization: string): string | undefined {
  const pair = Buffer.from(BASIC.exec(authorization)?.[1] ?? '', 'base64').toString()
  const colon = pair.indexOf(':')
  return colon < 0 ? undefined : pair.slice(colon + 1)
}

/** How often a request has a header; `name` in small letters. */
export function timesIn(rawHeaders: readonly string[], name: string): number {
  let times = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at]
    if (given?.length === name.length && given.toLowerCase() === name) times += 1
  }
  return times
}
