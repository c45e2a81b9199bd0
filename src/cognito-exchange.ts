// The exchange with Cognito as the settings describe it, for the service and for `--doctor`.
import { createClientTokenApi } from './cognito/client-token-api.ts'
import { createTokenEndpoint } from './cognito/token-endpoint.ts'
import type { TokenExchange } from './cognito/token-exchange.ts'
import { proxyFor } from './proxy.ts'
import type { Settings } from './settings.ts'

/** Makes the way to a token that the settings choose: the user pools API, or the token endpoint of a domain. */
export function createCognitoExchange(config: Settings): TokenExchange {
  const options = {
    clientId: config.AWS_COGNITO_APP_CLIENT_ID,
    scopes: config.AWS_COGNITO_SCOPES,
    clientMetadata: config.AWS_COGNITO_CLIENT_METADATA
  }
  const { AWS_COGNITO_DOMAIN: domain, AWS_COGNITO_ENDPOINT: endpoint } = config
  if (endpoint) return createClientTokenApi({ ...options, endpoint: endpoint.href, proxy: proxyFor(endpoint, config) })
  // loadSettings has made sure that one of the two is there.
  if (!domain) throw new TypeError('neither AWS_COGNITO_DOMAIN nor AWS_COGNITO_ENDPOINT')
  return createTokenEndpoint({ ...options, domain: domain.href, proxy: proxyFor(domain, config) })
}
