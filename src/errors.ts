// The errors that the service itself answers with: code, status and default message.

/** The error codes, each with its HTTP status and default message. A test compares the table in docs/errors.md with this one. */
export const ERROR_TABLE = {
  INVALID_JSON: { status: 400, message: 'The body is not JSON.' },
  INVALID_REQUEST: { status: 400, message: 'The request does not match the schema.' },
  GRAPHQL_PARSE_FAILED: { status: 400, message: 'The GraphQL document cannot be parsed.' },
  OPERATION_NAME_REQUIRED: { status: 400, message: 'The document contains several operations: name one in operationName.' },
  OPERATION_NOT_FOUND: { status: 400, message: 'The document contains no operation of that name.' },
  LIMIT_EXCEEDED: { status: 400, message: 'The document exceeds a limit.' },
  SUBSCRIPTION_NOT_SUPPORTED: { status: 400, message: 'Subscriptions are not allowed here: send a query instead.' },
  PERSISTED_QUERY_NOT_FOUND: { status: 400, message: 'PersistedQueryNotFound' },
  PERSISTED_QUERY_HASH_MISMATCH: { status: 400, message: 'The hash does not match the query that was sent with it.' },
  UNAUTHENTICATED: { status: 401, message: 'A valid credential is required: an API key or an access token.' },
  OPERATION_NOT_ALLOWED: { status: 403, message: 'This operation is not allowed.' },
  ROLE_NOT_ALLOWED: { status: 403, message: 'The role in x-hasura-role is not allowed.' },
  CROSS_SITE_REQUEST: { status: 403, message: 'A page of another site must not run operations here.' },
  NOT_FOUND: { status: 404, message: 'There is no such route or stored operation.' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This route does not allow that method.' },
  NOT_ACCEPTABLE: {
    status: 406,
    message: 'Accept must allow application/json or application/graphql-response+json; for a subscription, text/event-stream.'
  },
  BODY_TOO_LARGE: { status: 413, message: 'The body is too large.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'The content type must be application/json.' },
  MISDIRECTED_REQUEST: { status: 421, message: 'Host must name this machine: localhost or a loopback address.' },
  RATE_LIMITED: { status: 429, message: 'Too many requests.' },
  INTERNAL_ERROR: { status: 500, message: 'The service failed. Its log gives the reason under this request id.' },
  UPSTREAM_REJECTED_TOKEN: { status: 502, message: "Hasura refused the service's token." },
  UPSTREAM_UNREACHABLE: { status: 502, message: 'Hasura could not be reached, or the connection to it broke.' },
  UPSTREAM_INVALID_RESPONSE: { status: 502, message: 'The answer from Hasura was not JSON, or was cut short.' },
  TOKEN_UNAVAILABLE: { status: 503, message: 'The service has no token for Hasura at the moment.' },
  CALLER_KEYS_UNAVAILABLE: { status: 503, message: "The keys that verify callers' tokens cannot be fetched at the moment." },
  OPERATION_UNAVAILABLE: { status: 503, message: "This stored operation does not match Hasura's schema; the service's log says why." },
  OVERLOADED: { status: 503, message: 'The service is overloaded.' },
  SHUTTING_DOWN: { status: 503, message: 'The service is shutting down.' },
  UPSTREAM_TIMEOUT: { status: 504, message: 'Hasura did not answer in time.' }
} as const satisfies Record<string, { status: number; message: string }>

/** One of the codes in {@link ERROR_TABLE}. */
export type ErrorCode = keyof typeof ERROR_TABLE

/** A place in a GraphQL document; line and column start at 1 (GraphQL specification, section 7.1.2). */
export type SourceLocation = { line: number; column: number }

/** The optional parts of a {@link GatewayError}. */
type GatewayErrorOptions = {
  /** Shown to the caller; never text from another party, which could contain a secret. Default: the message in {@link ERROR_TABLE}. */
  message?: string
  /** Where in the document the error is. */
  locations?: readonly SourceLocation[]
  /** Response headers that belong to the error, such as `allow`. */
  headers?: Readonly<Record<string, string>>
  /** When the caller may retry, in whole seconds: the `retry-after` header (RFC 9110, section 10.2.3). */
  retryAfterSeconds?: number
  /** What caused the error; only for the log. */
  cause?: unknown
}

/** An error that the caller sees with its code; any other error becomes `INTERNAL_ERROR`. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: ErrorCode
  readonly statusCode: number
  readonly locations: readonly SourceLocation[] | undefined
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(code: ErrorCode, options: GatewayErrorOptions = {}) {
    const { headers, retryAfterSeconds } = options
    super(options.message ?? ERROR_TABLE[code].message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.statusCode = ERROR_TABLE[code].status
    this.locations = options.locations
    this.headers = retryAfterSeconds === undefined ? headers : { ...headers, 'retry-after': String(retryAfterSeconds) }
  }
}

/**
 * Returns the body of an error answer, in the format of a GraphQL response (GraphQL specification, section 7.1.2).
 * @param requestId the `x-request-id` of the answer
 */
export function errorBody(error: Pick<GatewayError, 'code' | 'message' | 'locations'>, requestId: string): string {
  const { code, message, locations } = error
  return JSON.stringify({ errors: [{ message, ...(locations && { locations }), extensions: { code, requestId } }] })
}
