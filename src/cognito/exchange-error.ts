// The ways in which an exchange can fail, each with what an operator should check.
import type { FailureKind } from './refresh-policy.ts'

/** The setting that holds Cognito's address. */
export type AddressSetting = 'AWS_COGNITO_DOMAIN' | 'AWS_COGNITO_ENDPOINT'

/** Errors of the token endpoint that only an operator can fix (RFC 6749, section 5.2; Amazon Cognito, "Token endpoint"). */
const OAUTH_FAULTS = {
  invalid_client: 'check AWS_COGNITO_APP_CLIENT_ID and the client secret, and that the app client has a secret',
  invalid_grant: 'check that the app client still exists and is active in this user pool',
  invalid_scope: 'check AWS_COGNITO_SCOPES against the custom scopes that are enabled on the app client',
  invalid_request: 'check AWS_COGNITO_APP_CLIENT_ID, AWS_COGNITO_SCOPES and that AWS_COGNITO_DOMAIN belongs to the right user pool',
  unauthorized_client: 'enable the client credentials grant on the app client',
  unsupported_grant_type: 'enable the client credentials grant on the app client, and check that AWS_COGNITO_DOMAIN is a user pool domain'
} as const

/** Faults that only an operator can fix: errors of the token endpoint and of `GetClientToken`, and an unreadable secret file. */
export const CONFIGURATION_FAULTS = {
  ...OAUTH_FAULTS,
  invalid_parameter:
    'check AWS_COGNITO_SCOPES, AWS_COGNITO_CLIENT_METADATA and that ALLOW_CLIENT_TOKEN_AUTH is the only flow of the app client',
  resource_not_found: 'check that AWS_COGNITO_APP_CLIENT_ID belongs to a user pool in the Region of AWS_COGNITO_ENDPOINT',
  operation_not_enabled:
    'enable ALLOW_CLIENT_TOKEN_AUTH on the app client, and check that AWS_COGNITO_ENDPOINT is not in a secondary replica Region',
  forbidden: 'check the AWS WAF rules of the user pool, and the policy of the VPC endpoint in AWS_COGNITO_ENDPOINT',
  secret_unreadable: 'check that AWS_COGNITO_APP_CLIENT_SECRET_FILE exists, is readable and is not empty'
} as const

/** Faults that may pass by themselves, each with what to check if it does not; `<address>` stands for the setting with Cognito's URL. */
export const PASSING_FAULTS = {
  throttled: 'Cognito throttles token requests for the account and Region: check how many replicas and other clients request tokens',
  server_error: 'Cognito failed: if this lasts, check the AWS Health Dashboard',
  timeout: 'Cognito did not answer in time: check <address> and the network path to it',
  unreachable: 'the connection failed or broke: check <address>, the proxy if there is one, DNS, TLS and the network path',
  invalid_response: 'the answer was not a token: check <address>, and that no proxy answers in its place',
  expired_on_arrival:
    'the token had expired before it could be used: check the token lifetime of the app client, and that this machine does not sleep'
} as const

/** Why an exchange failed; also a metric label. */
export type ExchangeFaultCode = keyof typeof CONFIGURATION_FAULTS | keyof typeof PASSING_FAULTS

/** What else is known about a failure. */
export type ExchangeErrorOptions = {
  /** The setting to check; default: the names of both. */
  addressSetting?: AddressSetting
  /** The wait that `Retry-After` asked for, in ms. */
  retryAfterMs?: number | undefined
  /** The HTTP status of the answer. */
  status?: number
  /** Cognito's own id of the request, for AWS support. */
  cognitoRequestId?: string | undefined
  /** Only for the log; must not contain any part of the answer. */
  cause?: unknown
}

/** A failed exchange. `kind` says whether the fault can pass by itself; the message contains no part of the answer. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError'
  readonly code: ExchangeFaultCode
  readonly kind: FailureKind
  readonly retryAfterMs: number | undefined
  readonly cognitoRequestId: string | undefined

  constructor(code: ExchangeFaultCode, { addressSetting, status, retryAfterMs, cognitoRequestId, cause }: ExchangeErrorOptions = {}) {
    const text: string = { ...CONFIGURATION_FAULTS, ...PASSING_FAULTS }[code]
    const advice = text.replace('<address>', addressSetting ?? 'AWS_COGNITO_DOMAIN or AWS_COGNITO_ENDPOINT')
    super(status === undefined ? advice : `status ${status}; ${advice}`, { cause })
    this.code = code
    this.kind = code in CONFIGURATION_FAULTS ? 'configuration' : 'passing'
    this.retryAfterMs = retryAfterMs
    this.cognitoRequestId = cognitoRequestId
  }
}

/** Whether a code is an error of the token endpoint that only an operator can fix. */
export const isOauthFault = (code: unknown): code is keyof typeof OAUTH_FAULTS =>
  typeof code === 'string' && Object.hasOwn(OAUTH_FAULTS, code)
