// Turns oidc-provider's answers into Cognito's: status, headers and the members of the body.
import { randomUUID } from 'node:crypto'
import type { OidcContext } from 'oidc-provider'

const COGNITO_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'unauthorized_client',
  'unsupported_grant_type'
])

/**
 * Middleware around oidc-provider. A token response keeps exactly `access_token`, `expires_in` and `token_type`; an error is a 400
 * with nothing but one of Cognito's codes, where OAuth 2 would say 401 and describe it.
 */
export async function answerAsCognito(context: OidcContext, next: () => Promise<void>): Promise<void> {
  await next()
  if (context.path.endsWith('/.well-known/jwks.json')) {
    context.set('content-type', 'application/json')
    context.set('cache-control', 'public, max-age=86400')
  }
  if (context.path !== '/oauth2/token' || !isRecord(context.body)) return

  const { access_token, expires_in, error } = context.body
  if (typeof error !== 'string') context.body = { access_token, expires_in, token_type: 'Bearer' }
  else if (context.status < 500) {
    context.status = 400
    context.body = { error: COGNITO_ERRORS.has(error) ? error : 'invalid_request' }
    context.remove('www-authenticate')
  }
  context.set('content-type', 'application/json;charset=UTF-8')
  context.set('x-amz-cognito-request-id', randomUUID())
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
