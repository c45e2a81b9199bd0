// Creates the token exchange that the settings choose: the user pools API or the token endpoint of a domain.
import { type ClientSecretOptions, createSecretExchange } from './cognito/client-secrets.ts'
import { createClientTokenApi } from './cognito/client-token-api.ts'
import { createTokenEndpoint } from './cognito/token-endpoint.ts'
import type { TokenExchange } from './cognito/token-exchange.ts'
import { proxyFor } from './proxy.ts'
import type { Settings } from './settings.ts'

/**
 * Creates the exchange of the client secret for a token. `exchange()` throws an `ExchangeError`; `url` is the address that it calls;
 * `close()` closes its connection.
 * @param onSecretChange called when the exchange switches to the other secret
 */
export function createCognitoExchange(config: Settings, onSecretChange: ClientSecretOptions['onSecretChange'] & object) {
  const client = createClient(config)
  const exchange = createSecretExchange(client, {
    secret: config.AWS_COGNITO_APP_CLIENT_SECRET,
    secretFile: config.AWS_COGNITO_APP_CLIENT_SECRET_FILE,
    fallback: config.AWS_COGNITO_APP_CLIENT_SECRET_FALLBACK,
    onSecretChange
  })
  return { url: client.url, exchange, close: () => client.close() }
}

function createClient(config: Settings): TokenExchange {
  const options = {
    clientId: config.AWS_COGNITO_APP_CLIENT_ID,
    scopes: config.AWS_COGNITO_SCOPES,
    clientMetadata: config.AWS_COGNITO_CLIENT_METADATA
  }
  const { AWS_COGNITO_DOMAIN: domain, AWS_COGNITO_ENDPOINT: endpoint } = config
  if (endpoint) return createClientTokenApi(endpoint.href, { ...options, proxy: proxyFor(endpoint, config) })
  // loadSettings guarantees that one of the two is set.
  if (!domain) throw new TypeError('neither AWS_COGNITO_DOMAIN nor AWS_COGNITO_ENDPOINT is set')
  return createTokenEndpoint(domain.href, { ...options, proxy: proxyFor(domain, config) })
}
