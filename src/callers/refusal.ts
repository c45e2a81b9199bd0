// Why a caller is turned away: for the log in words, for the caller as an error.
import { GatewayError } from '../errors.ts'

/** When a caller may try again while the issuer's keys cannot be fetched, in s. */
const KEYS_RETRY_AFTER_SECONDS = 5

/** Why a caller is turned away. */
export type Refusal = {
  readonly code: 'UNAUTHENTICATED' | 'OPERATION_NOT_ALLOWED' | 'CALLER_KEYS_UNAVAILABLE'
  /** For the log; never any part of a credential. */
  readonly reason: string
  /** The scopes of which a token needs one, for `OPERATION_NOT_ALLOWED`. */
  readonly scopes?: readonly string[]
}

/** Thrown where a token does not make its bearer a caller. */
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
/** For pages, so that a browser asks its user for the key (RFC 7617, section 2). */
const BASIC = 'Basic realm="graphql", charset="UTF-8"'

/**
 * Returns a refusal as an error with its challenge (RFC 9110, section 11.6.1; RFC 6750, section 3).
 * @param takesBasic whether a browser should ask its user, rather than a program be told what is wrong
 */
export function toError(refusal: Refusal, takesBasic: boolean): GatewayError {
  const { code, scopes = [] } = refusal
  if (code === 'CALLER_KEYS_UNAVAILABLE') return new GatewayError(code, { retryAfterSeconds: KEYS_RETRY_AFTER_SECONDS })
  if (code === 'OPERATION_NOT_ALLOWED') {
    const challenge = `${BEARER}, error="insufficient_scope", scope="${scopes.join(' ')}"`
    return new GatewayError(code, {
      message: 'The access token has none of the scopes that this service asks for.',
      headers: { 'www-authenticate': challenge }
    })
  }
  // Without a credential in the request, the challenge names no error.
  const bearer = refusal === NO_CREDENTIAL ? BEARER : `${BEARER}, error="invalid_token"`
  return new GatewayError(code, { headers: { 'www-authenticate': takesBasic ? BASIC : bearer } })
}
