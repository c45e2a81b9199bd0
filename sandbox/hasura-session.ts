// Identifies the caller: checks the token as Hasura does in its JWT mode and picks the role.
import type { IncomingHttpHeaders } from 'node:http'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { HasuraError } from './hasura-error.ts'

/** The roles of the sandbox: `service` may do everything, `reader` may only read. */
export type Role = 'service' | 'reader'

/** The caller, and when its token expires. */
export interface Session {
  readonly role: Role
  /** When the token is no longer accepted, in ms since 1970. */
  readonly expiresAtMs: number
}

/** How tokens are checked: the counterpart of `HASURA_GRAPHQL_JWT_SECRET`. */
export interface JwtSettings {
  readonly jwksUrl: string
  readonly issuer: string
  /** Unset, as Cognito's machine tokens require: no audience is checked. */
  readonly audience?: string
  /** How long after `exp` a token is still accepted, in seconds; default 0. */
  readonly allowedSkewSeconds?: number
  /** `map` (default): every valid token has both roles. `token`: the roles are in the token, under Hasura's own key. */
  readonly claims?: 'map' | 'token'
}

const CLAIMS_KEY = 'https://hasura.io/jwt/claims'
const MAPPED_CLAIMS = { 'x-hasura-allowed-roles': ['service', 'reader'], 'x-hasura-default-role': 'service' }

/**
 * Returns a function from request headers to the caller's session. It throws a {@link HasuraError}: `invalid-headers`, `invalid-jwt`,
 * `jwt-invalid-claims`, `jwt-missing-role-claims` or `access-denied`.
 */
export function sessionReader(settings: JwtSettings): (headers: IncomingHttpHeaders) => Promise<Session> {
  // Hasura does not fetch the keys again for a kid it does not know.
  const keys = createRemoteJWKSet(new URL(settings.jwksUrl), { cooldownDuration: Number.POSITIVE_INFINITY })
  return async headers => {
    const token = bearerToken(headers)
    const claims = await verify(token, keys, settings)
    const role = chooseRole(settings.claims === 'token' ? claims[CLAIMS_KEY] : MAPPED_CLAIMS, headers['x-hasura-role'])
    return { role, expiresAtMs: ((claims.exp ?? 0) + (settings.allowedSkewSeconds ?? 0)) * 1000 }
  }
}

function bearerToken({ authorization, cookie }: IncomingHttpHeaders): string {
  if (authorization === undefined && cookie === undefined)
    throw new HasuraError('invalid-headers', "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")
  const [scheme, token, ...rest] = (authorization ?? '').split(' ')
  if (scheme !== 'Bearer' || !token || rest.length > 0) throw new HasuraError('invalid-headers', 'Malformed Authorization header')
  return token
}

async function verify(token: string, keys: ReturnType<typeof createRemoteJWKSet>, settings: JwtSettings): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, keys, { clockTolerance: settings.allowedSkewSeconds ?? 0 }).catch((cause: unknown) => {
    const reason = refusalOf(cause, token)
    throw reason === undefined ? cause : invalidJwt(reason)
  })
  // Hasura looks at the expiry first, then the issuer, then the audience.
  if (payload.iss !== settings.issuer) throw invalidJwt('JWTNotInIssuer')
  if (settings.audience !== undefined && ![payload.aud].flat().includes(settings.audience)) throw invalidJwt('JWTNotInAudience')
  return payload
}

function refusalOf(cause: unknown, token: string): string | undefined {
  const parts = token.split('.').length
  if (cause instanceof errors.JWTExpired) return 'JWTExpired'
  if (parts !== 3) return `JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got ${parts})`
  if (cause instanceof errors.JWSSignatureVerificationFailed) return 'JWSError JWSInvalidSignature'
  if (cause instanceof errors.JWKSNoMatchingKey) return 'JWSError JWSInvalidSignature'
  if (cause instanceof errors.JWTClaimValidationFailed) return 'JWTNotYetValid'
  const isUnreadable = cause instanceof errors.JWSInvalid || cause instanceof errors.JWTInvalid || cause instanceof errors.JOSENotSupported
  return isUnreadable ? 'JWSError (CompactDecodeError Protected header contains invalid JSON)' : undefined
}

function invalidJwt(reason: string): HasuraError {
  return new HasuraError('invalid-jwt', `Could not verify JWT: ${reason}`)
}

function chooseRole(claims: unknown, asked: string | string[] | undefined): Role {
  if (typeof claims !== 'object' || claims === null) throw new HasuraError('jwt-invalid-claims', `claims key: '${CLAIMS_KEY}' not found`)
  const { 'x-hasura-allowed-roles': allowed, 'x-hasura-default-role': byDefault } = claims as Record<string, unknown>
  if (!Array.isArray(allowed)) throw new HasuraError('jwt-missing-role-claims', 'JWT claim does not contain x-hasura-allowed-roles')
  const role = asked ?? byDefault
  if (!allowed.includes(role) || (role !== 'service' && role !== 'reader'))
    throw new HasuraError('access-denied', 'Your requested role is not in allowed roles')
  return role
}
