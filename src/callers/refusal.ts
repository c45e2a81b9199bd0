// Why a caller is refused: in words for the log, and as an error for the caller.
import { GatewayError } from '../errors.ts'

/** The `Retry-After` while the issuer's keys cannot be fetched, in seconds. */
const KEYS_RETRY_AFTER_SECONDS = 5

/** Why a caller is refused. */
export type Refusal = {
  readonly code: 'UNAUTHENTICATED' | 'OPERATION_NOT_ALLOWED' | 'CALLER_KEYS_UNAVAILABLE'
  /** For the log; never any part of a credential. */
  readonly reason: string
  /** For `OPERATION_NOT_ALLOWED`: the scopes of which the token needs one. */
  readonly scopes?: readonly string[]
}

/** Thrown when a caller's token is refused. */
export class RefusedCaller extends Error {
  override readonly name = 'RefusedCaller'
  readonly refusal: Refusal

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.reason, options)
    this.refusal = refusal
  }
}

/** The refusal of a request without a credential. */
export const NO_CREDENTIAL: Refusal = { code: 'UNAUTHENTICATED', reason: 'no credential' }

const BEARER = 'Bearer realm="graphql"'
/** For pages, so that a browser prompts for the key (RFC 7617, section 2). */
const BASIC = 'Basic realm="graphql", charset="UTF-8"'

/**
 * Returns a refusal as an error with its challenge (RFC 9110, section 11.6.1; RFC 6750, section 3).
 * @param takesBasic whether to send a Basic challenge, at which a browser prompts for the key, instead of Bearer's
 */
export function toError(refusal: Refusal, takesBasic: boolean): GatewayError {
  const { code, scopes = [] } = refusal
  if (code === 'CALLER_KEYS_UNAVAILABLE') return new GatewayError(code, { retryAfterSeconds: KEYS_RETRY_AFTER_SECONDS })
  if (code === 'OPERATION_NOT_ALLOWED') {
    const challenge = `${BEARER}, error="insufficient_scope", scope="${scopes.join(' ')}"`
    return new GatewayError(code, {
      message: 'The access token has none of the scopes that this service requires.',
      headers: { 'www-authenticate': challenge }
    })
  }
  // A request without a credential gets a challenge without an error code (RFC 6750, section 3.1).
  const bearer = refusal === NO_CREDENTIAL ? BEARER : `${BEARER}, error="invalid_token"`
  return new GatewayError(code, { headers: { 'www-authenticate': takesBasic ? BASIC : bearer } })
}
