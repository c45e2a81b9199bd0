// The settings: one schema, the type that follows from it, and the reading of the environment.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { parseEnv } from 'node:util'
import fastifyEnv from '@fastify/env'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import Fastify from 'fastify'

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
  ALLOW_UNAUTHENTICATED: flag(false),
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
  const problems = crossCheck(environment)
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

/** What a schema of single values can't say: URLs, pairs that exclude each other, header names, files. */
function crossCheck(environment: Readonly<Record<string, string>>): Map<string, string> {
  const problems = new Map<string, string>()
  const check = (name: keyof Settings, problem: string | undefined) => problem && problems.set(name, problem)
  const insecure = environment.ALLOW_INSECURE_UPSTREAMS === 'true'
  for (const name of ['AWS_COGNITO_DOMAIN', 'GRAPHQL_ENDPOINT'] as const) {
    check(name, environment[name] === undefined ? undefined : urlProblem(environment[name], insecure))
  }
  if (!problems.has('AWS_COGNITO_DOMAIN')) check('AWS_COGNITO_DOMAIN', domainProblem(environment.AWS_COGNITO_DOMAIN))
  const { AWS_COGNITO_APP_CLIENT_SECRET: secret, AWS_COGNITO_APP_CLIENT_SECRET_FILE: secretFile } = environment
  if (secret === undefined && secretFile === undefined) {
    check('AWS_COGNITO_APP_CLIENT_SECRET', 'is missing: the app client secret, or AWS_COGNITO_APP_CLIENT_SECRET_FILE')
  } else if (secret !== undefined && secretFile !== undefined) {
    check('AWS_COGNITO_APP_CLIENT_SECRET', 'must not be set together with AWS_COGNITO_APP_CLIENT_SECRET_FILE')
    check('AWS_COGNITO_APP_CLIENT_SECRET_FILE', 'must not be set together with AWS_COGNITO_APP_CLIENT_SECRET')
  }
  if (secretFile !== undefined && !problems.has('AWS_COGNITO_APP_CLIENT_SECRET_FILE')) {
    check('AWS_COGNITO_APP_CLIENT_SECRET_FILE', secretFileProblem(secretFile))
  }
  const tokenHeader = environment.GRAPHQL_TOKEN_HEADER
  if (tokenHeader !== undefined && !isTokenHeader(tokenHeader)) {
    check('GRAPHQL_TOKEN_HEADER', `must be ${SettingsSchema.properties.GRAPHQL_TOKEN_HEADER.description}`)
  }
  const forwarded = listOf(environment.FORWARD_HEADERS)
  if (forwarded.some(header => !isForwardable(header) || header.toLowerCase() === tokenHeader?.toLowerCase())) {
    check('FORWARD_HEADERS', `must be ${SettingsSchema.properties.FORWARD_HEADERS.description}`)
  }
  const host = environment.HOST
  if (host !== undefined && !isLoopback(host) && environment.ALLOW_UNAUTHENTICATED !== 'true') {
    check('HOST', 'must be a loopback address unless callers are authenticated or ALLOW_UNAUTHENTICATED is true')
  }
  return problems
}

function urlProblem(value: string, insecureAllowed: boolean): string | undefined {
  const url = URL.parse(value)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hash) return 'must be an https URL'
  if (url.username || url.password) return 'must be a URL without a user name or password'
  if (url.protocol === 'http:' && !insecureAllowed && !isLoopback(url.hostname)) {
    return 'must be an https URL (http only for a loopback host, or with ALLOW_INSECURE_UPSTREAMS=true)'
  }
  return undefined
}

const domainProblem = (value: string | undefined) =>
  value !== undefined && URL.parse(value)?.search ? 'must be the https URL of the user pool domain, without a query' : undefined

function secretFileProblem(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '') === '' ? 'must be a file that is not empty' : undefined
  } catch {
    return `must be ${SettingsSchema.properties.AWS_COGNITO_APP_CLIENT_SECRET_FILE.description}`
  }
}

/** Whether a host name or an address (an IPv6 one with or without brackets) stands for this machine alone. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (isIP(address) === 4) return address.startsWith('127.')
  return address === 'localhost' || address.endsWith('.localhost') || address === '::1'
}

/** The parts of a comma-separated setting, without white space and empty parts; none where it is unset. */
export const listOf = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const CREDENTIAL_HEADERS =
  /^(authorization|proxy-.*|cookie2?|set-cookie|auth-token|x-api-key|x-auth-token|x-amz-security-token|x-hasura-.*)$/i
const OWN_HEADERS =
  /^(host|connection|content-.*|transfer-encoding|keep-alive|te|trailer|upgrade|expect|accept|accept-encoding|x-request-id|traceparent|tracestate)$/i

const isForwardable = (name: string) => HEADER_NAME.test(name) && !CREDENTIAL_HEADERS.test(name) && !OWN_HEADERS.test(name)
const isTokenHeader = (name: string) => HEADER_NAME.test(name) && !OWN_HEADERS.test(name) && !/^cookie2?$/i.test(name)
