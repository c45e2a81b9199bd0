// What an operator should check when a call of Hasura fails.
import { type ErrorCode, GatewayError } from '../errors.ts'
import { AttemptError } from '../http1/attempt-error.ts'

/** How the sentence on the last failure begins. */
export const LAST_CALL_FAILED = 'The last call of Hasura failed'

/** By the code that the call ended with; any other is not Hasura's. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  UPSTREAM_UNREACHABLE: 'check GRAPHQL_ENDPOINT, that Hasura runs, and DNS, TLS and the network path to it',
  UPSTREAM_TIMEOUT: 'check the load of Hasura and its database, and the network path to it',
  UPSTREAM_INVALID_RESPONSE:
    "check that GRAPHQL_ENDPOINT is Hasura's GraphQL URL (v2: …/v1/graphql, DDN: …/graphql) and that no proxy answers in its place",
  UPSTREAM_REJECTED_TOKEN: "check Hasura's JWT settings: keys, issuer, audience and claims; and GRAPHQL_TOKEN_HEADER"
}

/**
 * Returns what went wrong and what to check, in one sentence; undefined for an error that is not Hasura's. It holds no text of another
 * party but Hasura's reason for refusing a token, from which tokens are removed.
 */
export function describeCallFailure(error: unknown): string | undefined {
  if (!(error instanceof GatewayError)) return undefined
  const advice = ADVICE[error.code]
  if (advice === undefined) return undefined
  const code = systemCodeOf(error.cause)
  return `${error.message.replace(/\.$/, '')}${code ? ` (${code})` : ''}: ${advice}.`
}

/** What describes a status that says that Hasura, or a proxy before it, failed. */
export const describeFailureStatus = (status: number): string =>
  `Hasura answered with status ${status}: check that Hasura and its database are up, and what stands before it.`

/** The codes of Hasura v2 for a database that is gone, or that takes no more connections; its status is 200 (Hasura v2, `postgres-error`). */
const DATABASE_CODES = new Set(['postgres-error', 'postgres-max-connections-error'])

/** What describes an error of an answer that is no caller's fault; undefined for any other. */
export const describeFailureCode = (code: string | undefined): string | undefined =>
  code !== undefined && DATABASE_CODES.has(code)
    ? `Hasura answered ${code}: check its database, and the connections that it may open.`
    : undefined

/** The code of a system call or of TLS, such as ECONNREFUSED. */
function systemCodeOf(cause: unknown): string | undefined {
  const code: unknown =
    cause instanceof AttemptError && cause.cause instanceof Error && 'code' in cause.cause ? cause.cause.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : undefined
}
