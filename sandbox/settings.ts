// The settings of `npm run sandbox`, and those that it passes to the service.

/** Where everything listens and how long tokens live. */
interface SandboxSettings {
  readonly cognitoPort: number
  readonly hasuraPort: number
  readonly servicePort: number
  readonly serviceHost: string
  readonly tokenLifetimeSeconds: number
}

/** A client that only the sandbox knows. */
export const SANDBOX_CLIENT = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret-of-no-worth', scopes: 'hasura/read hasura/write' }

/**
 * Reads `SANDBOX_COGNITO_PORT` (3980), `SANDBOX_HASURA_PORT` (3981), `SANDBOX_TOKEN_LIFETIME_SECONDS` (120), `PORT` (3000) and `HOST`
 * (127.0.0.1). Throws an Error that names the setting if one is not a whole number within its bounds.
 */
export function readSettings(env: NodeJS.ProcessEnv): SandboxSettings {
  return {
    cognitoPort: wholeNumber(env, 'SANDBOX_COGNITO_PORT', 3980, 65_535),
    hasuraPort: wholeNumber(env, 'SANDBOX_HASURA_PORT', 3981, 65_535),
    servicePort: wholeNumber(env, 'PORT', 3000, 65_535),
    serviceHost: env.HOST || '127.0.0.1',
    tokenLifetimeSeconds: wholeNumber(env, 'SANDBOX_TOKEN_LIFETIME_SECONDS', 120, 86_400)
  }
}

/** Returns the service's environment: it points at the stand-ins, and settings in `env` take precedence. */
export function serviceEnvironment(env: NodeJS.ProcessEnv, cognitoUrl: string, hasuraUrl: string): NodeJS.ProcessEnv {
  return {
    // The domain and the API exclude each other, and the API is the user's choice.
    ...(env.AWS_COGNITO_ENDPOINT ? {} : { AWS_COGNITO_DOMAIN: cognitoUrl }),
    AWS_COGNITO_APP_CLIENT_ID: SANDBOX_CLIENT.clientId,
    // The secret and a file of it exclude each other, and a file is the user's choice.
    ...(env.AWS_COGNITO_APP_CLIENT_SECRET_FILE ? {} : { AWS_COGNITO_APP_CLIENT_SECRET: SANDBOX_CLIENT.clientSecret }),
    AWS_COGNITO_SCOPES: SANDBOX_CLIENT.scopes,
    GRAPHQL_ENDPOINT: hasuraUrl,
    GRAPHQL_ALLOWED_OPERATIONS: 'query,mutation,subscription',
    MCP_ENABLED: 'true',
    HOST: '127.0.0.1',
    PORT: '3000',
    // The stand-ins are on this machine, whatever proxy the shell uses.
    ...(env.NO_PROXY || env.no_proxy ? {} : { NO_PROXY: '127.0.0.1' }),
    ...env
  }
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, byDefault: number, most: number): number {
  const number = Number(env[name] || byDefault)
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw new Error(`${name} must be a whole number from 1 to ${most}`)
}
