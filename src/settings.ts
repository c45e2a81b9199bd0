// The settings: their schema, the type derived from it, and how they are read from the environment.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import fastifyEnv from '@fastify/env'
import { type Static, type StaticDecode, type TObject, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Ajv } from 'ajv'
import Fastify from 'fastify'
import { TIMER_MAX_MS } from './clock.ts'
import { schemaController, TRUSTED_SCHEMAS } from './schema-compilers.ts'
import {
  flag,
  forwardedHeaders,
  integer,
  isAddressRange,
  isHttps,
  isHttpUrl,
  isOrigin,
  isScope,
  isTokenHeader,
  list,
  oneOf,
  proxyUrl,
  redisUrl,
  setOf,
  someOf,
  text,
  textMap,
  textOr,
  textWhere,
  url
} from './setting-kinds.ts'
import { checkTogether } from './settings-checks.ts'

/**
 * Every setting: its kind with bounds and default, what its value must be, and its meaning, which is the comment in `.env.example`.
 * To add a setting, add it here; a test compares docs/settings.md and .env.example with this schema. A unit is part of the name.
 */
export const SettingsSchema = Type.Object({
  AWS_COGNITO_DOMAIN: Type.Optional(
    url(
      url => isHttpUrl(url) && url.search === '',
      'the https URL of the user pool domain, without a user name, a query or a fragment',
      'URL of the user pool domain; the token endpoint is this URL + /oauth2/token. Either this or AWS_COGNITO_ENDPOINT is required.'
    )
  ),
  AWS_COGNITO_ENDPOINT: Type.Optional(
    url(
      url => isHttpUrl(url) && url.search === '',
      'the https URL of the user pools API or of a VPC endpoint, without a user name, a query or a fragment',
      'URL of the user pools API or of a VPC endpoint; tokens are then requested with GetClientToken, without a domain. Default: none.'
    )
  ),
  AWS_COGNITO_CLIENT_METADATA: Type.Optional(
    textMap(
      'a JSON object whose values are strings',
      'JSON object of strings that Cognito passes to the pre-token-generation Lambda. Default: none.'
    )
  ),
  AWS_COGNITO_APP_CLIENT_ID: text('the app client id', 'App client id. Required.'),
  AWS_COGNITO_APP_CLIENT_SECRET: Type.Optional(text('the app client secret', 'App client secret. Either this or the file is required.')),
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
  AWS_COGNITO_SCOPES: list(
    () => true,
    'space-separated scopes',
    'Space-separated scopes. Default: none are requested, so Cognito grants every scope of the app client.',
    /\s+/
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
  GRAPHQL_TIMEOUT_MS: integer(1, TIMER_MAX_MS, 30_000, 'Time limit for one call to Hasura, retries included, in ms.'),
  GRAPHQL_CONNECTIONS: integer(1, 65_535, 128, 'Maximum number of connections to Hasura.'),
  GRAPHQL_QUEUE: integer(
    0,
    1_000_000,
    1_024,
    'Maximum number of requests that wait for one of these connections; beyond it, a request is answered 503.'
  ),
  GRAPHQL_ALLOWED_OPERATIONS: someOf<'query' | 'mutation' | 'subscription'>(
    ['query', 'mutation', 'subscription'],
    'query,mutation',
    'one or more of query, mutation and subscription, separated by commas',
    'Comma-separated kinds of operations that callers may run: query, mutation, subscription.'
  ),
  GRAPHQL_MAX_DEPTH: integer(1, 1_000, 20, 'Maximum selection depth of a document, with fragments expanded; { a } is 1.'),
  GRAPHQL_MAX_TOKENS: integer(1, 1_000_000, 5_000, 'Maximum number of lexical tokens in a document, comments included.'),
  GRAPHQL_MAX_FIELDS: integer(1, 1_000_000, 5_000, 'Maximum number of fields in a document, with fragments expanded.'),
  GRAPHQL_MAX_ALIASES: integer(0, 1_000_000, 50, 'Maximum number of aliases in a document, with fragments expanded.'),
  GRAPHQL_MAX_DIRECTIVES: integer(0, 1_000_000, 50, 'Maximum number of directives in a document.'),
  HASURA_ALLOWED_ROLES: setOf(
    () => true,
    'comma-separated role names',
    'Comma-separated roles that a caller may choose with x-hasura-role. Default: none.'
  ),
  FORWARD_HEADERS: forwardedHeaders(
    'comma-separated header names, none of them a credential, x-hasura-* or one that the service sets itself',
    'Comma-separated names of request headers to forward to Hasura; no credentials and no x-hasura-*. Default: none.'
  ),
  HOST: textOr(
    '127.0.0.1',
    'an address to listen on',
    'Address to listen on; anything but loopback needs CALLER_AUTH or ALLOW_UNAUTHENTICATED=true.'
  ),
  PORT: integer(0, 65_535, 3_000, 'Port to listen on; 0 picks any free port.'),
  BODY_LIMIT_BYTES: integer(1, 2 ** 31 - 1, 1_048_576, 'Maximum size of a request body, in bytes.'),
  BODY_BUDGET_BYTES: integer(
    1,
    Number.MAX_SAFE_INTEGER,
    67_108_864,
    'Maximum size of all request bodies held at once, in bytes; beyond it, a request is answered 503 before its body is read.'
  ),
  MAX_CONNECTIONS: integer(1, 1_000_000, 10_000, 'Maximum number of open connections from callers; any further connection is closed.'),
  LOG_LEVEL: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'Log level: trace, debug, info, warn, error, fatal or silent.'
  ),
  ALLOW_INSECURE_UPSTREAMS: flag(false, 'Allows http: URLs for Cognito and Hasura on hosts other than loopback.'),
  CALLER_AUTH: someOf(['api-key', 'jwt'], 'none', 'none, api-key, jwt or api-key,jwt', 'Who may call: none, api-key, jwt or api-key,jwt.'),
  ALLOW_UNAUTHENTICATED: flag(false, 'With CALLER_AUTH=none, true lets anyone who can reach the service run operations with its rights.'),
  CALLER_KEYS_FILE: Type.Optional(
    text(
      'the path of a readable JSON file of callers',
      'JSON file of callers for api-key, reloaded when it changes; docs/callers.md shows its format. Default: none.'
    )
  ),
  CALLER_JWT_ISSUER: Type.Optional(
    textWhere(
      isHttps,
      undefined,
      "the https URL that callers' tokens carry in iss",
      "Issuer (iss) of callers' tokens; for a Cognito user pool this setting is enough. Default: none."
    )
  ),
  CALLER_JWT_JWKS_URL: Type.Optional(
    url(
      ({ href }) => isHttps(href),
      "the https URL of the issuer's keys",
      "https URL of the issuer's keys; issuers other than Cognito need it. Default: none."
    )
  ),
  CALLER_JWT_AUDIENCE: Type.Optional(
    text(
      "the audience that callers' tokens carry in aud",
      "Audience (aud) of callers' tokens; issuers other than Cognito need it. Default: none."
    )
  ),
  CALLER_JWT_CLIENT_IDS: list(
    () => true,
    'comma-separated client ids',
    "Comma-separated client ids; a token's client_id must be one of them. Default: any."
  ),
  CALLER_JWT_SCOPES: list(
    isScope,
    'comma-separated scopes',
    'Comma-separated scopes; a token must have at least one of them. Default: any.',
    /[\s,]+/
  ),
  RATE_LIMIT_PER_MINUTE: integer(
    0,
    1_000_000_000,
    0,
    'Requests per minute for each caller, or for each address if callers are not known; 0 means no limit.'
  ),
  RATE_LIMIT_REDIS_URL: redisUrl('Redis in which several replicas count requests together. Default: each replica counts in memory.'),
  TRUST_PROXY: list(
    isAddressRange,
    'comma-separated addresses or CIDR ranges, but no range of all addresses (/0)',
    'Comma-separated addresses or CIDR ranges of load balancers whose x-forwarded-for is trusted. Default: none.'
  ),
  CORS_ORIGINS: setOf(
    isOrigin,
    'comma-separated exact origins, such as https://app.example.com',
    'Comma-separated exact origins whose pages may call the service. Default: none.'
  ),
  OPERATIONS_DIR: textOr(
    'operations',
    'the path of a folder',
    'Folder of stored operations, watched for changes; it must exist if it is set.'
  ),
  GRAPHQL_ADHOC: flag(true, 'false: only stored operations run; any other document is answered 403.'),
  HASURA_SCHEMA_FILE: Type.Optional(
    text(
      'the path of a file in the GraphQL schema language',
      "File with Hasura's schema as SDL, to type and check stored operations; watched for changes. Default: the service asks Hasura."
    )
  ),
  ANSWER_CACHE_MAX_BYTES: integer(
    0,
    Number.MAX_SAFE_INTEGER,
    67_108_864,
    'Memory for cached answers of queries with @cached, in bytes; 0 leaves @cached to Hasura.'
  ),
  ANSWER_CACHE_REDIS_URL: redisUrl('Redis in which several replicas share these answers. Default: each replica keeps its own.'),
  PERSISTED_DOCUMENTS_FILE: Type.Optional(
    text(
      'the path of a manifest of persisted documents, at most 64 MiB',
      'Manifest of documents that callers name by id, reloaded when it changes; see docs/persisted-documents.md. Default: none.'
    )
  ),
  DOCS_ENABLED: flag(true, 'Serves the pages /, /documentation and /graphiql.'),
  SUBSCRIPTIONS_MAX: integer(
    1,
    1_000_000,
    1_000,
    'Maximum number of event streams of subscriptions open at once; any further one is answered OVERLOADED.'
  ),
  MCP_ENABLED: flag(false, 'Serves stored operations as tools of the Model Context Protocol at /mcp.'),
  HTTPS_PROXY: proxyUrl('Proxy for https URLs of Cognito and Hasura, read as curl reads it; https_proxy takes precedence. Default: none.'),
  HTTP_PROXY: proxyUrl('Proxy for http URLs of Cognito and Hasura; http_proxy takes precedence. Default: none.'),
  NO_PROXY: list(
    () => true,
    'names, addresses or CIDR ranges, separated by commas or blanks',
    'Hosts reached without a proxy: names with their subdomains, addresses, CIDR ranges or *; no_proxy takes precedence. Default: none.',
    /[\s,]+/
  ),
  METRICS_PORT: integer(0, 65_535, 9_464, 'Port of a second listener with GET /metrics; 0 turns it off.'),
  SHUTDOWN_GRACE_MS: integer(0, TIMER_MAX_MS, 10_000, 'Time for requests in flight to finish after SIGTERM, in ms.')
})

/** The settings as the service uses them: numbers, URLs, lists and sets, with defaults filled in. */
export type Settings = Readonly<StaticDecode<typeof SettingsSchema>>
type SettingName = keyof Settings
/** The problem with each bad setting, by name; never a value. */
type Problems = Map<string, string>

declare module 'fastify' {
  interface FastifyInstance {
    config: Settings
  }
}

/** Thrown when settings are missing or wrong; the message names every one of them and what was expected, never a value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: ReadonlyMap<string, string>

  constructor(problems: ReadonlyMap<string, string>) {
    super(`Bad settings:\n${[...problems].map(([name, expected]) => `  ${name}: ${expected}`).join('\n')}`)
    this.problems = problems
  }
}

/**
 * Returns the environment merged over the `.env` file in the working folder. An empty value counts as unset, and `https_proxy` as
 * `HTTPS_PROXY`.
 * @throws {SettingsError} if `.env` exists but cannot be read
 */
export function readEnvironment(path = '.env', environment: NodeJS.Dict<string> = process.env): Record<string, string> {
  let file: NodeJS.Dict<string> = {}
  try {
    file = parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw new SettingsError(new Map([['.env', `must be a readable file (${code})`]]))
  }
  return { ...withCapitals(file), ...withCapitals(environment) }
}

const PROXY_NAMES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']

/** Returns the variables that are set, with proxy settings in capitals; as in curl, the lower-case name takes precedence. */
function withCapitals(environment: NodeJS.Dict<string>): Record<string, string> {
  const set: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) if (value) set[name] = value
  for (const name of PROXY_NAMES) {
    const { [name.toLowerCase()]: small } = set
    if (small) set[name] = small
  }
  return set
}

/**
 * Reads the settings: @fastify/env validates and converts each text, the schema decodes it into its value, and settings-checks.ts checks
 * combinations.
 * @throws {SettingsError} that names every bad setting at once
 */
export async function loadSettings(environment: Readonly<Record<string, string>>): Promise<Settings> {
  const problems: Problems = new Map()
  const settings = decode(await convert(environment, SettingsSchema, problems), problems)
  for (const [name, problem] of checkTogether(settings, environment)) if (!problems.has(name)) problems.set(name, problem)
  assertWhole(settings, problems)
  return Object.freeze(settings)
}

function assertWhole(_: Partial<Settings>, problems: Problems): asserts _ is Settings {
  if (problems.size > 0) throw new SettingsError(problems)
}

/** The options that env-schema uses for its own Ajv instance. */
const ENV_SCHEMA_OPTIONS = {
  allErrors: true,
  removeAdditional: true,
  useDefaults: true,
  coerceTypes: true,
  allowUnionTypes: true,
  addUsedSchema: false
}

type Converted = Partial<Static<typeof SettingsSchema>>

/** The settings as @fastify/env reads them, without those that have a problem. */
async function convert(environment: Readonly<Record<string, string>>, schema: TObject, problems: Problems): Promise<Converted> {
  // A separate instance, because the service's own needs the log level and the limits when it is created.
  const bare = Fastify({ schemaController })
  try {
    await bare.register(fastifyEnv, {
      schema: structuredClone(schema),
      data: environment,
      env: false,
      ajv: new Ajv({ ...TRUSTED_SCHEMAS, ...ENV_SCHEMA_OPTIONS, keywords: ['expected'] })
    })
    return bare.getEnvs<Converted>()
  } catch (error) {
    const bad = badNames(error)
    for (const name of bad) problems.set(name, `${name in environment ? 'must be' : 'is missing: set it to'} ${expectedOf(name)}`)
    const without = <Value>(values: Readonly<Record<string, Value>>) =>
      Object.fromEntries(Object.entries(values).filter(([name]) => !bad.includes(name)))
    return without(await convert(without(environment), Type.Partial(SettingsSchema), problems))
  } finally {
    await bare.close()
  }
}

/** The settings as the service uses them, without those that have a problem. */
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

/** Returns the names of the settings in a validation error of @fastify/env; rethrows any other error. */
function badNames(error: unknown): string[] {
  const errors: unknown = (error as { errors?: unknown }).errors
  if (!Array.isArray(errors)) throw error
  return errors.map(({ instancePath, params }) => params.missingProperty ?? instancePath.slice(1))
}
