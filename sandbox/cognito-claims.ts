// The claims of a machine's access token as Cognito writes them.
import { randomUUID } from 'node:crypto'
import type { JWTPayload } from 'jose'

/** Returns the claims of a token issued now: no audience, no user; `sub` is the client. Times are in whole seconds. */
export function machineClaims(token: {
  readonly issuer: string
  readonly clientId: string
  /** Space-separated. */
  readonly scope: string
  readonly tokenLifetimeSeconds: number
}): JWTPayload {
  const issuedAtSeconds = Math.floor(Date.now() / 1000)
  return {
    sub: token.clientId,
    token_use: 'access',
    scope: token.scope,
    auth_time: issuedAtSeconds,
    iss: token.issuer,
    exp: issuedAtSeconds + token.tokenLifetimeSeconds,
    iat: issuedAtSeconds,
    version: 2,
    jti: randomUUID(),
    client_id: token.clientId
  }
}
