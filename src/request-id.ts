// The id that a request carries through the service, its log and Hasura.
import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const CALLER_ID = /^[A-Za-z0-9._-]{1,128}$/

/** Tells the ids of this process from those of any other. */
const PROCESS_PART = randomBytes(12).toString('hex')
let count = 0

/** A new id: 96 random bits of the process and a number that rises; a random UUID for each request costs several times as much. */
export const newRequestId = (): string => `${PROCESS_PART}-${(++count).toString(36)}`

/** The caller's own `x-request-id` if it is 1 to 128 of `[A-Za-z0-9._-]`, else a new one. */
export const requestIdOf = (headers: IncomingHttpHeaders): string => {
  const given = headers['x-request-id']
  return typeof given === 'string' && CALLER_ID.test(given) ? given : newRequestId()
}
