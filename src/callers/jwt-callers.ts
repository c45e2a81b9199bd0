// Callers by JWT: verified with aws-jwt-verify, against the keys that the issuer publishes.
import { CognitoJwtVerifier, JwtVerifier } from 'aws-jwt-verify'
import { type JwksCache, SimpleJwksCache } from 'aws-jwt-verify/jwk'
import type { JwtPayload } from 'aws-jwt-verify/jwt-model'
import { LRUCache } from 'lru-cache'
import type { Caller } from './caller.ts'

/** How far the clocks of issuer and service may differ, in s. */
export const CLOCK_TOLERANCE_SECONDS = 10
/** How long a verified token is trusted without being verified again, in ms; its expiry is checked each time. */
const VERIFIED_FOR_MS = 60_000
const VERIFIED_MAX = 1_000

/** What a caller's JWT must show. */
export type JwtCallersOptions = {
  /** The `iss`; for a Cognito user pool nothing else is needed. */
  issuer: string
  /** URL of the keys, `https:`; for an issuer other than Cognito. */
  jwksUrl?: string | undefined
  /** The `aud`; for an issuer other than Cognito, whose access tokens have none. */
  audience?: string | undefined
  /** The `client_id` (or `azp`) must be one of these; if empty, any will do. */
  clientIds: readonly string[]
  /** `scope` must hold one of these; if empty, any will do. */
  scopes: readonly string[]
  /** Default: keys are fetched over HTTPS, kept, and fetched again for an unknown `kid`, at most once in 10 s. */
  jwksCache?: JwksCache
}

/** The verifier of callers' tokens. */
type JwtCallers = {
  /** Returns the caller of a token; rejects if the token is not valid. */
  verify(token: string): Promise<Caller>
  /** Fetches the issuer's keys, so that the first caller need not wait for them. */
  hydrate(): Promise<void>
}

/** A user pool's issuer (Amazon Cognito, "Verifying JSON web tokens"); its id is the last part. */
export const COGNITO_ISSUER = /^https:\/\/cognito-idp\.[a-z0-9-]+\.amazonaws\.com\/([\w-]+_\w+)$/

/** Creates the verifier: Cognito's own for a user pool (access tokens only), the generic one for any other issuer. */
export function createJwtCallers(options: JwtCallersOptions): JwtCallers {
  const verifier = createVerifier(options)
  const verified = new LRUCache<string, { caller: Caller; expiresAtSeconds: number }>({ max: VERIFIED_MAX, ttl: VERIFIED_FOR_MS })
  return {
    hydrate: () => verifier.hydrate(),
    async verify(token) {
      const known = verified.get(token)
      if (known && known.expiresAtSeconds + CLOCK_TOLERANCE_SECONDS > Date.now() / 1000) return known.caller
      const payload = await verifier.verify(token)
      assertListed(payload, options)
      const caller = toCaller(payload)
      verified.set(token, { caller, expiresAtSeconds: payload.exp ?? 0 })
      return caller
    }
  }
}

function createVerifier({ issuer, jwksUrl, audience, jwksCache = new SimpleJwksCache() }: JwtCallersOptions) {
  const userPoolId = COGNITO_ISSUER.exec(issuer)?.[1]
  const common = { graceSeconds: CLOCK_TOLERANCE_SECONDS }
  const verifier =
    userPoolId === undefined
      ? JwtVerifier.create({ ...common, issuer, audience: audience ?? null, ...(jwksUrl && { jwksUri: jwksUrl }) }, { jwksCache })
      : CognitoJwtVerifier.create({ ...common, userPoolId, tokenUse: 'access' as const, clientId: null }, { jwksCache })
  return { hydrate: () => verifier.hydrate(), verify: (token: string): Promise<JwtPayload> => verifier.verify(token) }
}

/** Checks what the two verifiers would check in different ways. */
function assertListed(payload: JwtPayload, { clientIds, scopes }: JwtCallersOptions): void {
  const clientId = payload.client_id ?? payload.azp
  if (clientIds.length > 0 && !(typeof clientId === 'string' && clientIds.includes(clientId))) throw new Error('client id not allowed')
  const granted = typeof payload.scope === 'string' ? payload.scope.split(' ') : []
  if (scopes.length > 0 && !scopes.some(scope => granted.includes(scope))) throw new Error('scope not granted')
  if (payload.exp === undefined) throw new Error('a token without an expiry')
}

function toCaller({ client_id: clientId, sub }: JwtPayload): Caller {
  // There may be a million subjects: too many for a metric's label.
  if (typeof clientId === 'string' && clientId !== '') return { kind: 'client', name: clientId, label: clientId }
  if (typeof sub === 'string' && sub !== '') return { kind: 'subject', name: sub, label: 'jwt' }
  throw new Error('neither client_id nor sub')
}
