// Checks that need more than the text of one setting: combinations of settings, and the files that they name.
import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { COGNITO_ISSUER } from './callers/cognito-issuer.ts'
import { parseKeyCallers } from './callers/key-callers.ts'
import { MANIFEST_MAX_BYTES, parseManifest } from './persisted-documents/manifest.ts'
import type { Settings } from './settings.ts'

/** The settings that are valid on their own. */
type Known = Partial<Settings>
/** The name of a bad setting and what is wrong with it; never its value. */
type Problem = readonly [name: keyof Settings, problem: string]

/**
 * Yields every problem in the combination of settings or in the files that they name.
 * @param environment the settings that are set, without defaults
 */
export function* checkTogether(settings: Known, environment: Readonly<Record<string, string>>): Generator<Problem> {
  yield* checkCognito(environment)
  yield* checkUpstreams(settings)
  yield* checkSecret(settings)
  yield* checkHeaders(settings)
  yield* checkKeys(settings)
  yield* checkJwt(settings)
  yield* checkHost(settings)
  yield* checkOperations(environment)
  yield* checkManifest(settings)
}

function* checkCognito(environment: Readonly<Record<string, string>>): Generator<Problem> {
  const [domain, endpoint] = ['AWS_COGNITO_DOMAIN' in environment, 'AWS_COGNITO_ENDPOINT' in environment]
  if (domain && endpoint) {
    yield ['AWS_COGNITO_DOMAIN', 'must not be set together with AWS_COGNITO_ENDPOINT']
    yield ['AWS_COGNITO_ENDPOINT', 'must not be set together with AWS_COGNITO_DOMAIN']
  } else if (!domain && !endpoint) {
    yield ['AWS_COGNITO_DOMAIN', 'is missing: set it to the https URL of the user pool domain, or set AWS_COGNITO_ENDPOINT']
  }
}

function* checkUpstreams(settings: Known): Generator<Problem> {
  if (settings.ALLOW_INSECURE_UPSTREAMS) return
  for (const name of ['AWS_COGNITO_DOMAIN', 'AWS_COGNITO_ENDPOINT', 'GRAPHQL_ENDPOINT'] as const) {
    const url = settings[name]
    if (url?.protocol === 'http:' && !isLoopback(url.hostname))
      yield [name, 'must be an https URL (http is allowed for a loopback host, or with ALLOW_INSECURE_UPSTREAMS=true)']
  }
}

function* checkSecret({ AWS_COGNITO_APP_CLIENT_SECRET: secret, AWS_COGNITO_APP_CLIENT_SECRET_FILE: file }: Known): Generator<Problem> {
  if (secret === undefined && file === undefined) {
    yield ['AWS_COGNITO_APP_CLIENT_SECRET', 'is missing: set it to the app client secret, or set AWS_COGNITO_APP_CLIENT_SECRET_FILE']
  } else if (secret !== undefined && file !== undefined) {
    yield ['AWS_COGNITO_APP_CLIENT_SECRET', 'must not be set together with AWS_COGNITO_APP_CLIENT_SECRET_FILE']
    yield ['AWS_COGNITO_APP_CLIENT_SECRET_FILE', 'must not be set together with AWS_COGNITO_APP_CLIENT_SECRET']
  } else if (file !== undefined && !readText(file)?.replace(/\r?\n$/, '')) {
    yield ['AWS_COGNITO_APP_CLIENT_SECRET_FILE', 'must be the path of a readable file that is not empty']
  }
}

function* checkHeaders({ GRAPHQL_TOKEN_HEADER: tokenHeader, FORWARD_HEADERS: forwarded }: Known): Generator<Problem> {
  if (tokenHeader !== undefined && forwarded?.includes(tokenHeader.toLowerCase()))
    yield ['FORWARD_HEADERS', 'must not contain the header of GRAPHQL_TOKEN_HEADER']
}

function* checkKeys({ CALLER_AUTH: kinds, CALLER_KEYS_FILE: path, HASURA_ALLOWED_ROLES: roles }: Known): Generator<Problem> {
  if (!kinds?.has('api-key')) return
  if (path === undefined) return yield ['CALLER_KEYS_FILE', 'is missing: CALLER_AUTH requires it']
  const text = readText(path)
  if (text === undefined) return yield ['CALLER_KEYS_FILE', 'must be the path of a readable file']
  try {
    parseKeyCallers(text, roles)
  } catch (error) {
    yield ['CALLER_KEYS_FILE', `must be a JSON file of callers: ${(error as Error).message}`]
  }
}

function* checkManifest({ PERSISTED_DOCUMENTS_FILE: path }: Known): Generator<Problem> {
  if (path === undefined) return
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const text = size > MANIFEST_MAX_BYTES ? undefined : readText(path)
  if (text === undefined) return yield ['PERSISTED_DOCUMENTS_FILE', 'must be the path of a readable file of at most 64 MiB']
  try {
    parseManifest(text)
  } catch (error) {
    yield ['PERSISTED_DOCUMENTS_FILE', `must be a manifest of persisted documents: ${(error as Error).message}`]
  }
}

function* checkJwt(settings: Known): Generator<Problem> {
  const { CALLER_AUTH: kinds, CALLER_JWT_ISSUER: issuer } = settings
  if (!kinds?.has('jwt')) return
  if (issuer === undefined) return yield ['CALLER_JWT_ISSUER', 'is missing: CALLER_AUTH requires it']
  if (COGNITO_ISSUER.test(issuer)) return
  for (const name of ['CALLER_JWT_JWKS_URL', 'CALLER_JWT_AUDIENCE'] as const)
    if (settings[name] === undefined) yield [name, 'is missing: an issuer other than a Cognito user pool requires it']
}

function* checkHost({ HOST: host, CALLER_AUTH: kinds, ALLOW_UNAUTHENTICATED: isOpen }: Known): Generator<Problem> {
  if (host !== undefined && !isLoopback(host) && kinds?.size === 0 && !isOpen)
    yield ['HOST', 'must be a loopback address unless CALLER_AUTH is set or ALLOW_UNAUTHENTICATED is true']
}

function* checkOperations({
  OPERATIONS_DIR: folder,
  HASURA_SCHEMA_FILE: schemaFile
}: Readonly<Record<string, string>>): Generator<Problem> {
  if (folder !== undefined && !isFolder(folder)) yield ['OPERATIONS_DIR', 'must be the path of an existing folder']
  if (schemaFile !== undefined && readText(schemaFile) === undefined) yield ['HASURA_SCHEMA_FILE', 'must be the path of a readable file']
}

/** Whether a host name or address (IPv6 with or without brackets) is a loopback one. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (isIP(address) === 4) return address.startsWith('127.')
  return address === 'localhost' || address.endsWith('.localhost') || address === '::1'
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
