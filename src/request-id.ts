// Chooses the id of a request, which appears in the answer, in the log and in the call to Hasura.
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const CALLER_ID = /^[A-Za-z0-9._-]{1,128}$/

/** Returns a new id: a random UUID (RFC 9562, version 4). */
export const newRequestId = (): string => randomUUID()

/** Returns the caller's `x-request-id` if it consists of 1 to 128 of `[A-Za-z0-9._-]`, else a new id. */
export const requestIdOf = (headers: IncomingHttpHeaders): string => {
  const given = headers['x-request-id']
  return typeof given === 'string' && CALLER_ID.test(given) ? given : newRequestId()
}
