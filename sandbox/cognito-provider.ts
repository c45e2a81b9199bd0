// The OAuth 2 server behind the Cognito stand-in: one client, one grant, tokens that are JWTs.
import { randomBytes } from 'node:crypto'
import type { JWK, JWTPayload } from 'jose'
import { errors, type OidcContext, Provider } from 'oidc-provider'
import { machineClaims } from './cognito-claims.ts'
import { answerAsCognito } from './cognito-wire.ts'

/** The configuration of the server. */
interface ProviderParts {
  readonly url: string
  /** `url` and the pool's id. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Space-separated scopes enabled on the client. */
  readonly scopes: string
  readonly tokenLifetimeSeconds: number
  /** Private RS256 key with its `kid`. */
  readonly signingKey: JWK
}

// Tokens are JWTs and the one client is configured, so there is nothing to store.
class ForgetfulStore {
  async upsert(): Promise<void> {}
  async find(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** Returns the server, not yet listening, with Cognito's paths, claims and answers. */
export function createProvider(parts: ProviderParts): Provider {
  const { issuer, clientId, clientSecret, tokenLifetimeSeconds, signingKey } = parts
  const provider = new Provider(issuer, {
    adapter: ForgetfulStore,
    jwks: { keys: [signingKey] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    routes: { token: '/oauth2/token', jwks: `${new URL(issuer).pathname}/.well-known/jwks.json` },
    clients: [
      { client_id: clientId, client_secret: clientSecret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }
    ],
    ttl: { ClientCredentials: tokenLifetimeSeconds },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: resourceOf(parts)
    },
    formats: { customizers: { jwt: claimsOf(parts) } }
  })
  return provider.use(answerAsCognito)
}

// oidc-provider issues JWTs only for a resource, so the pool has one that callers neither name nor see.
function resourceOf({ url, scopes }: ProviderParts) {
  const enabledScopes = new Set(scopes.split(' '))
  return {
    enabled: true,
    defaultResource: () => hiddenResource(url),
    getResourceServerInfo: ({ oidc }: OidcContext, asked: string) => {
      if (asked !== hiddenResource(url)) throw new errors.InvalidTarget('resource is not allowed with this grant')
      const unknown = askedScopes(oidc.params).find(scope => !enabledScopes.has(scope))
      if (unknown !== undefined) throw new errors.InvalidScope('requested scope is not allowed', unknown)
      return { scope: scopes, audience: asked, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }
    }
  }
}

function claimsOf({ url, issuer, clientId, scopes, tokenLifetimeSeconds }: ProviderParts) {
  return (_context: unknown, _token: unknown, jwt: { header: unknown; payload: JWTPayload }) => {
    const claims = machineClaims({ issuer, clientId, scope: String(jwt.payload.scope ?? scopes), tokenLifetimeSeconds })
    // oidc-provider insists on an audience and Cognito has none: a non-enumerable one passes its check and stays out of the JSON.
    jwt.payload = Object.defineProperty(claims, 'aud', { value: hiddenResource(url), enumerable: false, writable: true })
    jwt.header = { typ: undefined }
  }
}

function hiddenResource(url: string): string {
  return `${url}/resource`
}

function askedScopes(params: OidcContext['oidc']['params']): string[] {
  return typeof params?.scope === 'string' ? params.scope.split(' ').filter(scope => scope !== '') : []
}
