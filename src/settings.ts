// The settings: one schema, the type that follows from it, and the reading of the environment.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import fastifyEnv from '@fastify/env'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import { checkTogether } from './settings-checks.ts'

export { listOf } from './settings-checks.ts'

const MAX_TIMER_MS = 2 ** 31 - 1

const text = (expected: string) => Type.String({ minLength: 1, description: expected })
const integer = (min: number, max: number, standard: number) =>
  Type.Integer({ minimum: min, maximum: max, default: standard, description: `a whole number from ${min} to ${max}` })
const flag = (standard: boolean) => Type.Boolean({ default: standard, description: 'true or false' })
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/**
 * Every setting, with its bounds and default; `description` is what a bad value is told was expected.
 * Units stand in the names; docs/settings.md explains each.
 */
export const SettingsSchema = Type.Object({
  AWS_COGNITO_DOMAIN: text('the https URL of the user pool domain'),
  AWS_COGNITO_APP_CLIENT_ID: text('the app client id'),
  AWS_COGNITO_APP_CLIENT_SECRET: Type.Optional(text('the app client secret')),
  AWS_COGNITO_APP_CLIENT_SECRET_FILE: Type.Optional(text('the path of a readable file that holds the app client secret')),
  AWS_COGNITO_APP_CLIENT_SECRET_FALLBACK: Type.Optional(text('the other active secret of the app client')),
  AWS_COGNITO_SCOPES: Type.Optional(text('scopes with spaces between them')),
  GRAPHQL_ENDPOINT: text('the https URL of the GraphQL endpoint'),
  GRAPHQL_TOKEN_HEADER: Type.String({ default: 'Authorization', description: 'the name of an HTTP header that may carry a token' }),
  GRAPHQL_TIMEOUT_MS: integer(1, MAX_TIMER_MS, 30_000),
  GRAPHQL_CONNECTIONS: integer(1, 65_535, 128),
  GRAPHQL_ALLOWED_OPERATIONS: Type.String({
    default: 'query,mutation',
    pattern: '^\\s*(query|mutation)\\s*(,\\s*(query|mutation)\\s*)*$',
    description: 'query, mutation or both with a comma between them'
  }),
  GRAPHQL_MAX_DEPTH: integer(1, 1_000, 20),
  GRAPHQL_MAX_TOKENS: integer(1, 1_000_000, 5_000),
  GRAPHQL_MAX_ALIASES: integer(0, 1_000_000, 50),
  GRAPHQL_MAX_DIRECTIVES: integer(0, 1_000_000, 50),
  HASURA_ALLOWED_ROLES: Type.Optional(text('role names with commas between them')),
  FORWARD_HEADERS: Type.Optional(
    text('header names with commas between them, none of them a credential, x-hasura-* or set by the service')
  ),
  HOST: Type.String({ minLength: 1, default: '127.0.0.1', description: 'an address to listen on' }),
  PORT: integer(0, 65_535, 3_000),
  BODY_LIMIT_BYTES: integer(1, 2 ** 31 - 1, 1_048_576),
  LOG_LEVEL: Type.Unsafe<(typeof LOG_LEVELS)[number]>({
    type: 'string',
    enum: LOG_LEVELS,
    default: 'info',
    description: LOG_LEVELS.join(', ')
  }),
  ALLOW_INSECURE_UPSTREAMS: flag(false),
  CALLER_AUTH: Type.String({
    default: 'none',
    pattern: '^(none|api-key|jwt|api-key\\s*,\\s*jwt|jwt\\s*,\\s*api-key)$',
    description: 'none, api-key, jwt or api-key,jwt'
  }),
  ALLOW_UNAUTHENTICATED: flag(false),
  CALLER_KEYS_FILE: Type.Optional(text('the path of a readable JSON file of callers')),
  CALLER_JWT_ISSUER: Type.Optional(text('the https URL that stands in iss')),
  CALLER_JWT_JWKS_URL: Type.Optional(text('the https URL of the keys of the issuer')),
  CALLER_JWT_AUDIENCE: Type.Optional(text('what stands in aud')),
  CALLER_JWT_CLIENT_IDS: Type.Optional(text('client ids with commas between them')),
  CALLER_JWT_SCOPES: Type.Optional(text('scopes with commas between them')),
  RATE_LIMIT_PER_MINUTE: integer(0, 1_000_000_000, 0),
  RATE_LIMIT_REDIS_URL: Type.Optional(text('a redis or rediss URL')),
  TRUST_PROXY: Type.Optional(text('addresses or CIDR ranges with commas between them')),
  CORS_ORIGINS: Type.Optional(text('exact origins with commas between them, such as https://app.example.com')),
  OPERATIONS_DIR: Type.String({ minLength: 1, default: 'operations', description: 'the path of a folder' }),
  GRAPHQL_ADHOC: flag(true),
  HASURA_SCHEMA_FILE: Type.Optional(text('the path of a file in the GraphQL schema language')),
  DOCS_ENABLED: flag(true),
  METRICS_PORT: integer(0, 65_535, 9_464),
  SHUTDOWN_GRACE_MS: integer(0, MAX_TIMER_MS, 10_000)
})

/** The settings as the service reads them: checked, converted, with their defaults. */
export type Settings = Readonly<Static<typeof SettingsSchema>>

declare module 'fastify' {
  interface FastifyInstance {
    config: Settings
  }
}

/** Thrown when settings are missing or wrong; its message names every one and what was expected, never a value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: ReadonlyMap<string, string>

  constructor(problems: ReadonlyMap<string, string>) {
    super(`Bad settings:\n${[...problems].map(([name, expected]) => `  ${name}: ${expected}`).join('\n')}`)
    this.problems = problems
  }
}

/** The environment and, below it, the `.env` file of the working folder; an empty value counts as unset. */
export function readEnvironment(path = '.env', environment: NodeJS.Dict<string> = process.env): Record<string, string> {
  let file: NodeJS.Dict<string> = {}
  try {
    file = parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return Object.fromEntries([file, environment].flatMap(Object.entries).filter(([, value]) => value !== undefined && value !== ''))
}

/**
 * Checks the settings with @fastify/env, on an instance of its own: the log level and the limits must be known before the service's is made.
 * @throws {SettingsError} that names every bad setting at once
 */
export async function loadSettings(environment: Readonly<Record<string, string>>): Promise<Settings> {
  const bare = Fastify()
  const problems = checkTogether(environment)
  try {
    await bare.register(fastifyEnv, { schema: structuredClone(SettingsSchema), data: environment, env: false })
  } catch (error) {
    for (const name of badNames(error)) problems.set(name, expectation(name, environment))
  }
  if (problems.size > 0) throw new SettingsError(problems)
  const settings = Object.freeze(bare.config)
  await bare.close()
  return settings
}

/** Names of the settings that a validation error of @fastify/env is about; any other error is passed on. */
function badNames(error: unknown): string[] {
  const errors: unknown = (error as { errors?: unknown }).errors
  if (!Array.isArray(errors)) throw error
  return errors.map(({ instancePath, params }) => params.missingProperty ?? instancePath.slice(1))
}

function expectation(name: string, environment: Readonly<Record<string, string>>): string {
  const schema: TSchema | undefined = SettingsSchema.properties[name as keyof Settings]
  return `${name in environment ? 'must be' : 'is missing:'} ${schema?.description ?? 'a valid value'}`
}
