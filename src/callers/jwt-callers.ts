// Verifies callers' JWTs with aws-jwt-verify against the issuer's published keys.
import { JwtVerifier } from 'aws-jwt-verify'
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier'
import { JwtInvalidIssuerError } from 'aws-jwt-verify/error'
import { decomposeUnverifiedJwt } from 'aws-jwt-verify/jwt'
import type { JwtPayload } from 'aws-jwt-verify/jwt-model'
import { LRUCache } from 'lru-cache'
import type { Caller } from './caller.ts'
import { COGNITO_ISSUER } from './cognito-issuer.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { reasonOf } from './jwt-reasons.ts'
import { RefusedCaller } from './refusal.ts'

/** How far the clocks of the issuer and this machine may differ, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 10
/** How long the result of a verification is cached, in ms; expiry is checked on every use. */
const VERIFIED_FOR_MS = 60_000
const VERIFIED_MAX = 1_000

/** The requirements for a caller's JWT. */
export type JwtCallersOptions = {
  /** Required `iss`; for a Cognito user pool, nothing else is needed. */
  issuer: string
  /** `https:` URL of the keys. Default: that of a Cognito user pool. */
  jwksUrl?: string | undefined
  /** Required `aud`. Default: any, since most Cognito access tokens have none. */
  audience?: string | undefined
  /** `client_id` (or `azp`) must be one of these; if empty, any is accepted. */
  clientIds: readonly string[]
  /** `scope` must contain one of these; if empty, any is accepted. */
  scopes: readonly string[]
  keys: IssuerKeys
}

/** The verifier of callers' tokens. */
type JwtCallers = {
  /**
   * Returns the caller of a token.
   * @throws {RefusedCaller} `UNAUTHENTICATED`, `OPERATION_NOT_ALLOWED` (insufficient scope), `CALLER_KEYS_UNAVAILABLE`
   */
  verify(token: string): Promise<Caller>
  /** Fetches the issuer's keys, so that the first caller does not wait for them; rejects if that fails. */
  hydrate(): Promise<void>
}

/** Creates the verifier; from a user pool it accepts only access tokens. */
export function createJwtCallers(options: JwtCallersOptions): JwtCallers {
  const verifier = createVerifier(options)
  const verified = new LRUCache<string, Caller & { expiresAtSeconds: number }>({ max: VERIFIED_MAX, ttl: VERIFIED_FOR_MS })
  return {
    hydrate: () => verifier.hydrate(),
    async verify(token) {
      const known = verified.get(token)
      if (known && known.expiresAtSeconds + CLOCK_TOLERANCE_SECONDS > Date.now() / 1000) return known
      const payload = await verifier.verify(token).catch((cause: unknown) => {
        throw cause instanceof RefusedCaller ? cause : refuse(reasonOf(cause), cause)
      })
      assertListed(payload, options)
      const caller = { ...toCaller(payload), expiresAtSeconds: payload.exp ?? 0 }
      verified.set(token, caller)
      return caller
    }
  }
}

const refuse = (reason: string, cause?: unknown) => new RefusedCaller({ code: 'UNAUTHENTICATED', reason }, { cause })

/**
 * Creates aws-jwt-verify's generic verifier, for a user pool with the checks of its Cognito verifier. The Cognito verifier itself knows
 * only one partition, and accepts both forms of issuer where the setting names one.
 */
function createVerifier({ issuer, jwksUrl, audience, keys }: JwtCallersOptions) {
  const checkFields = ({ payload }: { payload: JwtPayload }) => validateCognitoJwtFields(payload, { tokenUse: 'access', clientId: null })
  const verifier = JwtVerifier.create(
    {
      issuer,
      audience: audience ?? null,
      jwksUri: jwksUrl ?? `${issuer}/.well-known/jwks.json`,
      graceSeconds: CLOCK_TOLERANCE_SECONDS,
      ...(COGNITO_ISSUER.test(issuer) && { customJwtCheck: checkFields })
    },
    { jwksCache: keys }
  )
  return {
    hydrate: () => verifier.hydrate(),
    async verify(token: string): Promise<JwtPayload> {
      // Checked first, so that another issuer's token does not trigger a fetch of our issuer's keys.
      const { iss } = decomposeUnverifiedJwt(token).payload
      if (iss !== issuer) throw new JwtInvalidIssuerError('another issuer', iss, issuer)
      return verifier.verify(token)
    }
  }
}

/** Checks what the verifier does not: the client id, that there is an expiry, and the scopes. */
function assertListed(payload: JwtPayload, { clientIds, scopes }: JwtCallersOptions): void {
  const clientId = payload.client_id ?? payload.azp
  if (clientIds.length > 0 && !(typeof clientId === 'string' && clientIds.includes(clientId)))
    throw refuse("the token's client id is not one of CALLER_JWT_CLIENT_IDS")
  if (payload.exp === undefined) throw refuse('the token has no expiry')
  const granted = typeof payload.scope === 'string' ? payload.scope.split(' ') : []
  if (scopes.length > 0 && !scopes.some(scope => granted.includes(scope)))
    throw new RefusedCaller({ code: 'OPERATION_NOT_ALLOWED', reason: 'the token has none of the scopes in CALLER_JWT_SCOPES', scopes })
}

function toCaller({ client_id: clientId, sub }: JwtPayload): Caller {
  // There may be a million subjects, too many for a metric label.
  if (typeof clientId === 'string' && clientId !== '') return { kind: 'client', name: clientId, label: clientId }
  if (typeof sub === 'string' && sub !== '') return { kind: 'subject', name: sub, label: 'jwt' }
  throw refuse('the token has neither client_id nor sub')
}
