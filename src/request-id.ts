// The id that a request carries through the service, its log and Hasura.
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const CALLER_ID = /^[A-Za-z0-9._-]{1,128}$/

/** A new id: a random UUID (RFC 9562, version 4). */
export const newRequestId = (): string => randomUUID()

/** The caller's own `x-request-id` if it is 1 to 128 of `[A-Za-z0-9._-]`, else a new one. */
export const requestIdOf = (headers: IncomingHttpHeaders): string => {
  const given = headers['x-request-id']
  return typeof given === 'string' && CALLER_ID.test(given) ? given : newRequestId()
}
