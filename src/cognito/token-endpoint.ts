// Requests a token from the token endpoint of a user pool domain (RFC 6749, section 4.4).
import { readOauthToken } from './access-token.ts'
import { isOauthFault } from './exchange-error.ts'
import { createTokenExchange, type ExchangeOptions, type RawAnswer, type TokenExchange } from './token-exchange.ts'

/**
 * Creates a client of `<domain>/oauth2/token`: a form with the `client_credentials` grant, `client_secret_post`
 * (Amazon Cognito, "Token endpoint").
 * @param domain URL of the user pool domain, with or without a slash at its end
 */
export function createTokenEndpoint(domain: string, options: ExchangeOptions): TokenExchange {
  const { clientId, scopes, clientMetadata } = options
  const bodyFor = (secret: string) => {
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret })
    if (scopes.length > 0) form.set('scope', scopes.join(' '))
    if (clientMetadata) form.set('aws_client_metadata', JSON.stringify(clientMetadata))
    return form.toString()
  }
  const tokenRequest = {
    url: `${new URL(domain).href.replace(/\/+$/, '')}/oauth2/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    addressSetting: 'AWS_COGNITO_DOMAIN',
    requestIdHeader: 'x-amz-cognito-request-id',
    bodyFor,
    readToken: readOauthToken,
    readFault
  } as const
  return createTokenExchange(tokenRequest, options)
}

function readFault({ status, json }: RawAnswer) {
  const code = status >= 400 && typeof json === 'object' && json !== null && 'error' in json ? json.error : undefined
  return isOauthFault(code) ? code : undefined
}
