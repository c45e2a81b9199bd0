// Requests a token from the user pools API with `GetClientToken`, which needs no domain and works through PrivateLink.
import { readApiToken } from './access-token.ts'
import type { ExchangeFaultCode } from './exchange-error.ts'
import { createTokenExchange, type ExchangeOptions, type RawAnswer, type TokenExchange } from './token-exchange.ts'

/**
 * Creates a client of the action `GetClientToken` (Amazon Cognito user pools API; AWS JSON 1.1, without a signature).
 * @param endpoint URL of the user pools API or of a VPC endpoint, with or without a slash at its end
 */
export function createClientTokenApi(endpoint: string, options: ExchangeOptions): TokenExchange {
  const { clientId, scopes, clientMetadata } = options
  const Scopes = scopes.length > 0 ? scopes : undefined
  const tokenRequest = {
    url: `${new URL(endpoint).href.replace(/\/+$/, '')}/`,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken' },
    addressSetting: 'AWS_COGNITO_ENDPOINT',
    requestIdHeader: 'x-amzn-requestid',
    // JSON.stringify omits members that are undefined.
    bodyFor: (Secret: string) => JSON.stringify({ ClientId: clientId, Secret, Scopes, ClientMetadata: clientMetadata }),
    readToken: readApiToken,
    readFault
  } as const
  return createTokenExchange(tokenRequest, options)
}

/** The errors of the action; any other error counts as passing. */
const FAULTS: ReadonlyMap<string, ExchangeFaultCode> = new Map([
  ['NotAuthorizedException', 'invalid_client'],
  ['InvalidParameterException', 'invalid_parameter'],
  ['ResourceNotFoundException', 'resource_not_found'],
  ['OperationNotEnabledException', 'operation_not_enabled'],
  ['ForbiddenException', 'forbidden'],
  ['TooManyRequestsException', 'throttled'],
  ['InternalErrorException', 'server_error']
])

function readFault({ status, header, json }: RawAnswer): ExchangeFaultCode | undefined {
  if (status < 400) return undefined
  const type = typeof json === 'object' && json !== null && '__type' in json ? json.__type : undefined
  return FAULTS.get(errorName(typeof type === 'string' ? type : header('x-amzn-errortype')))
}

/** Returns the name in `<namespace>#<name>:<url>`, where either end may be missing (AWS JSON 1.1, "Operation error serialization"). */
const errorName = (type = '') => type.replace(/:.*$/s, '').replace(/^.*#/s, '').trim()
