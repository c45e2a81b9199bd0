// The settings: one schema, the type that follows from it, and the reading of the environment.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import fastifyEnv from '@fastify/env'
import { type Static, type StaticDecode, type TObject, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import Fastify from 'fastify'
import {
  flag,
  integer,
  isAddressRange,
  isForwardable,
  isHttps,
  isHttpUrl,
  isOrigin,
  isTokenHeader,
  list,
  oneOf,
  setOf,
  someOf,
  text,
  textOr,
  textWhere,
  url
} from './setting-kinds.ts'
import { checkTogether } from './settings-checks.ts'

const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Every setting: its kind with bounds and default, what a bad value is told was expected, and its meaning as `.env.example` has it.
 * To add a setting, add it here; docs/settings.md and .env.example are held against it. Units stand in the names.
 */
export const SettingsSchema = Type.Object({
  AWS_COGNITO_DOMAIN: url(
    url => isHttpUrl(url) && url.search === '',
    'the https URL of the user pool domain, without a user name, a query or a fragment',
    'URL of the user pool domain; the token endpoint is this + /oauth2/token. Required.'
  ),
  AWS_COGNITO_APP_CLIENT_ID: text('the app client id', 'App client id. Required.'),
  AWS_COGNITO_APP_CLIENT_SECRET: Type.Optional(text('the app client secret', 'App client secret. This or the file is required.')),
  AWS_COGNITO_APP_CLIENT_SECRET_FILE: Type.Optional(
    text(
      'the path of a readable file that holds the app client secret',
      'File that holds the secret, read again at every exchange, so that a rotated secret needs no restart. Default: none.'
    )
  ),
  AWS_COGNITO_APP_CLIENT_SECRET_FALLBACK: Type.Optional(
    text(
      'the other active secret of the app client',
      "The other of Cognito's two active secrets; tried at once when the first is refused. Default: none."
    )
  ),
  AWS_COGNITO_SCOPES: Type.Optional(
    text(
      'scopes with spaces between them',
      'Scopes with spaces between them. Default: none is asked for, so every scope of the app client is granted.'
    )
  ),
  GRAPHQL_ENDPOINT: url(
    isHttpUrl,
    'the https URL of the GraphQL endpoint, without a user name or a fragment',
    'GraphQL URL of Hasura: v2 …/v1/graphql, v3 (DDN) …/graphql. Required.'
  ),
  GRAPHQL_TOKEN_HEADER: textWhere(
    isTokenHeader,
    'Authorization',
    'the name of an HTTP header that may carry a token',
    'Header that carries the token. Authorization sends "Bearer <jwt>", any other header the bare JWT (DDN: Auth-Token).'
  ),
  GRAPHQL_TIMEOUT_MS: integer(1, MAX_TIMER_MS, 30_000, 'Whole time for one call of Hasura, retries included, in ms.'),
  GRAPHQL_CONNECTIONS: integer(1, 65_535, 128, 'Most sockets kept to Hasura.'),
  GRAPHQL_ALLOWED_OPERATIONS: someOf<'query' | 'mutation' | 'subscription'>(
    ['query', 'mutation'],
    'query,mutation',
    'query, mutation or both with a comma between them',
    'Operation kinds that callers may run: query, mutation or both.'
  ),
  GRAPHQL_MAX_DEPTH: integer(1, 1_000, 20, 'Deepest selection of a document, fragments followed; { a } is 1.'),
  GRAPHQL_MAX_TOKENS: integer(1, 1_000_000, 5_000, 'Lexical tokens of a document, comments included.'),
  GRAPHQL_MAX_FIELDS: integer(1, 1_000_000, 5_000, 'Fields of a document, each spread of a fragment counted anew.'),
  GRAPHQL_MAX_ALIASES: integer(0, 1_000_000, 50, 'Aliases of a document, fragments followed.'),
  GRAPHQL_MAX_DIRECTIVES: integer(0, 1_000_000, 50, 'Directives of a document.'),
  HASURA_ALLOWED_ROLES: setOf(
    () => true,
    'role names with commas between them',
    'Roles that a caller may ask for with x-hasura-role, with commas between them. Default: none.'
  ),
  FORWARD_HEADERS: list(
    isForwardable,
    'header names with commas between them, none of them a credential, x-hasura-* or set by the service',
    'Further request headers to pass on, with commas between them; no credentials and no x-hasura-*. Default: none.'
  ),
  HOST: textOr(
    '127.0.0.1',
    'an address to listen on',
    'Listening address; beyond loopback it takes CALLER_AUTH or ALLOW_UNAUTHENTICATED=true.'
  ),
  PORT: integer(0, 65_535, 3_000, 'Listening port; 0 takes any free one.'),
  BODY_LIMIT_BYTES: integer(1, 2 ** 31 - 1, 1_048_576, 'Largest request body, in bytes.'),
  LOG_LEVEL: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'trace, debug, info, warn, error, fatal or silent.'
  ),
  ALLOW_INSECURE_UPSTREAMS: flag(false, 'Takes http: URLs of Cognito and Hasura on hosts other than this one.'),
  CALLER_AUTH: someOf(['api-key', 'jwt'], 'none', 'none, api-key, jwt or api-key,jwt', 'Who may call: none, api-key, jwt or api-key,jwt.'),
  ALLOW_UNAUTHENTICATED: flag(false, 'With CALLER_AUTH=none: lets everyone who can reach the service run operations with its rights.'),
  CALLER_KEYS_FILE: Type.Optional(
    text(
      'the path of a readable JSON file of callers',
      'JSON file of callers for api-key, read again when it changes; its form is in docs/callers.md. Default: none.'
    )
  ),
  CALLER_JWT_ISSUER: Type.Optional(
    textWhere(
      isHttps,
      undefined,
      'the https URL that stands in iss',
      "iss of callers' tokens; a Cognito user pool needs this alone. Default: none."
    )
  ),
  CALLER_JWT_JWKS_URL: Type.Optional(
    url(
      ({ href }) => isHttps(href),
      'the https URL of the keys of the issuer',
      "https URL of the issuer's keys, for an issuer other than Cognito. Default: none."
    )
  ),
  CALLER_JWT_AUDIENCE: Type.Optional(
    text('what stands in aud', "aud of callers' tokens, for an issuer other than Cognito. Default: none.")
  ),
  CALLER_JWT_CLIENT_IDS: list(
    () => true,
    'client ids with commas between them',
    "Of these one must be the token's client_id, with commas between them. Default: any."
  ),
  CALLER_JWT_SCOPES: list(
    part => !/\s/.test(part),
    'scopes with commas between them',
    "Of these one must be in the token's scope, with commas between them. Default: any."
  ),
  RATE_LIMIT_PER_MINUTE: integer(
    0,
    1_000_000_000,
    0,
    'Requests a minute for each caller, or each address where callers are not known; 0 is no limit.'
  ),
  RATE_LIMIT_REDIS_URL: Type.Optional(
    url(
      ({ protocol }) => /^rediss?:$/.test(protocol),
      'a redis or rediss URL',
      'Counts the requests in Redis, for several replicas. Default: in memory.'
    )
  ),
  TRUST_PROXY: list(
    isAddressRange,
    'addresses or CIDR ranges with commas between them',
    'Load balancers whose x-forwarded-for is believed: addresses or CIDR ranges, with commas between them. Default: none.'
  ),
  CORS_ORIGINS: setOf(
    isOrigin,
    'exact origins with commas between them, such as https://app.example.com',
    'Exact origins whose pages may call, with commas between them. Default: none.'
  ),
  OPERATIONS_DIR: textOr('operations', 'the path of a folder', 'Folder of stored operations, read at start; it need not be there.'),
  GRAPHQL_ADHOC: flag(true, 'false: stored operations alone run; any other document is answered 403.'),
  HASURA_SCHEMA_FILE: Type.Optional(
    text(
      'the path of a file in the GraphQL schema language',
      "Hasura's schema as SDL, to type and check stored operations. Default: introspected at start with the service's own token."
    )
  ),
  DOCS_ENABLED: flag(true, 'Serves the pages: /, /documentation and /graphiql.'),
  METRICS_PORT: integer(0, 65_535, 9_464, 'Port of a second listener with GET /metrics; 0 turns it off.'),
  SHUTDOWN_GRACE_MS: integer(0, MAX_TIMER_MS, 10_000, 'Time that requests in flight have after SIGTERM, in ms.')
})

/** The settings as the service uses them: numbers, URLs, lists and sets, with their defaults. */
export type Settings = Readonly<StaticDecode<typeof SettingsSchema>>
type SettingName = keyof Settings
/** Names of settings and what is wrong with each; never a value. */
type Problems = Map<string, string>

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
 * Reads the settings once: @fastify/env converts and checks each text, the schema says what it means, and the checks of
 * settings-checks.ts see what goes together.
 * @throws {SettingsError} that names every bad setting at once
 */
export async function loadSettings(environment: Readonly<Record<string, string>>): Promise<Settings> {
  const problems: Problems = new Map()
  const settings = decode(await convert(environment, SettingsSchema, problems), problems)
  for (const [name, problem] of checkTogether(settings)) if (!problems.has(name)) problems.set(name, problem)
  assertWhole(settings, problems)
  return Object.freeze(settings)
}

function assertWhole(_: Partial<Settings>, problems: Problems): asserts _ is Settings {
  if (problems.size > 0) throw new SettingsError(problems)
}

type Converted = Partial<Static<typeof SettingsSchema>>

/** The settings as @fastify/env reads them, without those that have a problem. */
async function convert(environment: Readonly<Record<string, string>>, schema: TObject, problems: Problems): Promise<Converted> {
  // An instance of its own: the log level and the limits must be known before the service's is made.
  const bare = Fastify()
  try {
    await bare.register(fastifyEnv, {
      schema: structuredClone(schema),
      data: environment,
      env: false,
      ajv: { customOptions: ajv => ajv.addVocabulary(['expected']) }
    })
    return bare.getEnvs<Converted>()
  } catch (error) {
    const bad = badNames(error)
    for (const name of bad) problems.set(name, `${name in environment ? 'must be' : 'is missing:'} ${expectedOf(name)}`)
    const without = <Value>(values: Readonly<Record<string, Value>>) =>
      Object.fromEntries(Object.entries(values).filter(([name]) => !bad.includes(name)))
    return without(await convert(without(environment), Type.Partial(SettingsSchema), problems))
  } finally {
    await bare.close()
  }
}

/** What each setting means, without those that have a problem. */
function decode(converted: Converted, problems: Problems): Partial<Settings> {
  const settings: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(converted)) {
    try {
      settings[name] = Value.Decode(SettingsSchema.properties[name as SettingName], value)
    } catch {
      problems.set(name, `must be ${expectedOf(name)}`)
    }
  }
  return settings
}

const expectedOf = (name: string): string => SettingsSchema.properties[name as SettingName]?.expected ?? 'a valid value'

/** Names of the settings that a validation error of @fastify/env is about; any other error is passed on. */
function badNames(error: unknown): string[] {
  const errors: unknown = (error as { errors?: unknown }).errors
  if (!Array.isArray(errors)) throw error
  return errors.map(({ instancePath, params }) => params.missingProperty ?? instancePath.slice(1))
}
