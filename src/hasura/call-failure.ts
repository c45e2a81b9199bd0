// Describes a failed call to Hasura for an operator: what went wrong and what to check.
import { type ErrorCode, GatewayError } from '../errors.ts'
import { AttemptError } from '../http1/attempt-error.ts'

/** The beginning of the sentence about the last failure. */
export const LAST_CALL_FAILED = 'The last call to Hasura failed'

/** What to check, by error code; no other code is a failure of Hasura. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  UPSTREAM_UNREACHABLE: 'check GRAPHQL_ENDPOINT, that Hasura runs, and DNS, TLS and the network path to it',
  UPSTREAM_TIMEOUT: 'check the load of Hasura and its database, and the network path to it',
  UPSTREAM_INVALID_RESPONSE:
    "check that GRAPHQL_ENDPOINT is Hasura's GraphQL URL (v2: …/v1/graphql, DDN: …/graphql) and that no proxy answers in its place",
  UPSTREAM_REJECTED_TOKEN: "check Hasura's JWT settings: keys, issuer, audience and claims; and GRAPHQL_TOKEN_HEADER"
}

/**
 * Returns what went wrong and what to check, in one sentence; undefined if Hasura is not the cause. The only foreign text in it is
 * Hasura's reason for refusing a token, from which tokens are removed.
 */
export function describeCallFailure(error: unknown): string | undefined {
  if (!(error instanceof GatewayError)) return undefined
  const advice = ADVICE[error.code]
  if (advice === undefined) return undefined
  const code = systemCodeOf(error.cause)
  return `${error.message.replace(/\.$/, '')}${code ? ` (${code})` : ''}: ${advice}.`
}

/** Describes a status with which Hasura, or a proxy in front of it, reports a failure. */
export const describeFailureStatus = (status: number): string =>
  `Hasura answered with status ${status}: check that Hasura and its database are up, and any proxy in front of Hasura.`

/** The codes with which Hasura v2 reports, under status 200, that its database is down or accepts no more connections. */
const DATABASE_CODES = new Set(['postgres-error', 'postgres-max-connections-error'])

/** Describes the error code of an answer if the database is the cause; undefined for any other code. */
export const describeFailureCode = (code: string | undefined): string | undefined =>
  code !== undefined && DATABASE_CODES.has(code)
    ? `Hasura answered ${code}: check its database, and the database's connection limit.`
    : undefined

/** Returns the code of a system or TLS error, such as ECONNREFUSED. */
function systemCodeOf(cause: unknown): string | undefined {
  const code: unknown =
    cause instanceof AttemptError && cause.cause instanceof Error && 'code' in cause.cause ? cause.cause.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : undefined
}
