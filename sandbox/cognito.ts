// A stand-in for a Cognito user pool: a real OAuth 2 server that shows Cognito's paths, claims and error bodies, and `GetClientToken`.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { machineClaims } from './cognito-claims.ts'
import { answerClientToken, isApiRequest } from './cognito-client-token.ts'
import { createProvider } from './cognito-provider.ts'
import { listen, stopListening } from './listen.ts'

/** Options of the stand-in; only the client's two credentials have no default. */
interface CognitoOptions {
  /** 0 (the default) takes any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  readonly clientId: string
  readonly clientSecret: string
  /** Space-separated scopes enabled on the app client; default `hasura/read hasura/write`. */
  readonly scopes?: string
  /** Token lifetime in seconds; default 120, at least 1. */
  readonly tokenLifetimeSeconds?: number
}

/** A running stand-in for Cognito. */
export interface CognitoStandIn {
  /** The value for `AWS_COGNITO_DOMAIN` or `AWS_COGNITO_ENDPOINT`. */
  readonly url: string
  readonly issuer: string
  readonly jwksUrl: string
  readonly tokenEndpoint: string
  /** Signs a token with the pool's key; `claims` override those of a regular token: `{ exp: 1 }` gives an expired one. */
  issueToken(claims?: JWTPayload): Promise<string>
  close(): Promise<void>
}

/** Starts the stand-in. Rejects if the port is taken. */
export async function startCognito(options: CognitoOptions): Promise<CognitoStandIn> {
  const { clientId, clientSecret, host = '127.0.0.1' } = options
  const { scopes = 'hasura/read hasura/write', tokenLifetimeSeconds = 120 } = options
  const kid = randomUUID()
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const signingKey = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }

  // The issuer contains the port, so the server listens before the provider exists.
  const server = createServer()
  const url = `http://${host}:${await listen(server, options.port ?? 0, host)}`
  const issuer = `${url}/local_sandbox`

  const issueToken = (claims?: JWTPayload) =>
    new SignJWT({ ...machineClaims({ issuer, clientId, scope: scopes, tokenLifetimeSeconds }), ...claims })
      .setProtectedHeader({ kid, alg: 'RS256' })
      .sign(privateKey)
  const handle = createProvider({ url, issuer, clientId, clientSecret, scopes, tokenLifetimeSeconds, signingKey }).callback()
  const api = { clientId, clientSecret, scopes, tokenLifetimeSeconds, issueToken: (scope: string) => issueToken({ scope }) }
  server.on('request', (request, response) => {
    if (isApiRequest(request)) answerClientToken(request, response, api).catch(error => response.destroy(error))
    else void handle(request, response)
  })

  return {
    url,
    issuer,
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    tokenEndpoint: `${url}/oauth2/token`,
    issueToken,
    close: () => stopListening(server)
  }
}
