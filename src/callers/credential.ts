// Finds a caller's credential in a request.
import type { IncomingHttpHeaders } from 'node:http'

/** A credential as it came; `bearer` may be a key or a JWT. */
type Credential = { readonly kind: 'key' | 'bearer'; readonly value: string }

const BEARER = /^bearer +([^\s,]+)$/i

/**
 * Returns the credential of a request: `x-api-key`, else `Authorization: Bearer` (RFC 6750, section 2.1). Undefined if there is none,
 * or if its header occurs more than once, since it is then unclear which one counts.
 */
export function readCredential(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): Credential | undefined {
  const key = headers['x-api-key']
  if (key !== undefined) {
    return typeof key === 'string' && key !== '' && timesIn(rawHeaders, 'x-api-key') === 1 ? { kind: 'key', value: key } : undefined
  }
  const value = BEARER.exec(headers.authorization ?? '')?.[1]
  return value !== undefined && timesIn(rawHeaders, 'authorization') === 1 ? { kind: 'bearer', value } : undefined
}

function timesIn(rawHeaders: readonly string[], name: string): number {
  let times = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === name) times += 1
  return times
}
