// What a schema of single values can't say of the settings: URLs, files, header names, and what goes together.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { COGNITO_ISSUER } from './callers/jwt-callers.ts'
import { parseKeyCallers } from './callers/key-callers.ts'

type Environment = Readonly<Record<string, string>>
/** The name of a bad setting and what is wrong with it; never its value. */
type Problem = readonly [name: string, problem: string]

/** Every problem that shows only when settings are looked at beyond their types, by setting. */
export function checkTogether(environment: Environment): Map<string, string> {
  return new Map([
    ...checkUpstreams(environment),
    ...checkSecret(environment),
    ...checkHeaders(environment),
    ...checkCallers(environment),
    ...checkNetwork(environment)
  ])
}

function* checkUpstreams({
  AWS_COGNITO_DOMAIN: domain,
  GRAPHQL_ENDPOINT: endpoint,
  ALLOW_INSECURE_UPSTREAMS: insecure
}: Environment): Generator<Problem> {
  for (const [name, value] of Object.entries({ AWS_COGNITO_DOMAIN: domain, GRAPHQL_ENDPOINT: endpoint })) {
    const problem = value === undefined ? undefined : urlProblem(value, insecure === 'true')
    if (problem !== undefined) yield [name, problem]
    else if (name === 'AWS_COGNITO_DOMAIN' && URL.parse(value ?? '')?.search)
      yield [name, 'must be the https URL of the user pool domain, without a query']
  }
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

function* checkSecret({
  AWS_COGNITO_APP_CLIENT_SECRET: secret,
  AWS_COGNITO_APP_CLIENT_SECRET_FILE: file
}: Environment): Generator<Problem> {
  if (secret === undefined && file === undefined) {
    yield ['AWS_COGNITO_APP_CLIENT_SECRET', 'is missing: the app client secret, or AWS_COGNITO_APP_CLIENT_SECRET_FILE']
  } else if (secret !== undefined && file !== undefined) {
    yield ['AWS_COGNITO_APP_CLIENT_SECRET', 'must not be set together with AWS_COGNITO_APP_CLIENT_SECRET_FILE']
    yield ['AWS_COGNITO_APP_CLIENT_SECRET_FILE', 'must not be set together with AWS_COGNITO_APP_CLIENT_SECRET']
  } else if (file !== undefined) {
    const text = readText(file)
    const problem = text === undefined ? 'the path of a readable file that holds the app client secret' : 'a file that is not empty'
    if (!text?.replace(/\r?\n$/, '')) yield ['AWS_COGNITO_APP_CLIENT_SECRET_FILE', `must be ${problem}`]
  }
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const CREDENTIAL_HEADERS =
  /^(authorization|proxy-.*|cookie2?|set-cookie|auth-token|x-api-key|x-auth-token|x-amz-security-token|x-hasura-.*)$/i
const OWN_HEADERS =
  /^(host|connection|content-.*|transfer-encoding|keep-alive|te|trailer|upgrade|expect|accept|accept-encoding|x-request-id|traceparent|tracestate)$/i

function* checkHeaders({ GRAPHQL_TOKEN_HEADER: tokenHeader, FORWARD_HEADERS: forwarded = '' }: Environment): Generator<Problem> {
  if (tokenHeader !== undefined && (!HEADER_NAME.test(tokenHeader) || OWN_HEADERS.test(tokenHeader) || /^cookie2?$/i.test(tokenHeader))) {
    yield ['GRAPHQL_TOKEN_HEADER', 'must be the name of an HTTP header that may carry a token']
  }
  const isForwardable = (name: string) =>
    HEADER_NAME.test(name) && !CREDENTIAL_HEADERS.test(name) && !OWN_HEADERS.test(name) && name.toLowerCase() !== tokenHeader?.toLowerCase()
  if (!listOf(forwarded).every(isForwardable)) {
    yield ['FORWARD_HEADERS', 'must be header names with commas between them, none of them a credential, x-hasura-* or set by the service']
  }
}

function* checkCallers(environment: Environment): Generator<Problem> {
  const { CALLER_AUTH: auth = 'none', CALLER_KEYS_FILE: keysFile, CALLER_JWT_ISSUER: issuer, CALLER_JWT_JWKS_URL: jwksUrl } = environment
  const kinds = listOf(auth)
  if (kinds.includes('api-key')) {
    const problem = keysFile === undefined ? 'is missing: CALLER_AUTH asks for it' : keysFileProblem(keysFile)
    if (problem !== undefined) yield ['CALLER_KEYS_FILE', problem]
  }
  if (!kinds.includes('jwt')) return
  if (issuer === undefined) yield ['CALLER_JWT_ISSUER', 'is missing: CALLER_AUTH asks for it']
  else if (!isHttps(issuer)) yield ['CALLER_JWT_ISSUER', 'must be the https URL that stands in iss']
  else if (!COGNITO_ISSUER.test(issuer)) {
    if (jwksUrl === undefined) yield ['CALLER_JWT_JWKS_URL', 'is missing: an issuer other than a Cognito user pool needs it']
    if (environment.CALLER_JWT_AUDIENCE === undefined)
      yield ['CALLER_JWT_AUDIENCE', 'is missing: an issuer other than a Cognito user pool needs it']
  }
  if (jwksUrl !== undefined && !isHttps(jwksUrl)) yield ['CALLER_JWT_JWKS_URL', 'must be an https URL']
}

function keysFileProblem(path: string): string | undefined {
  const text = readText(path)
  if (text === undefined) return 'must be the path of a readable JSON file of callers'
  try {
    parseKeyCallers(text)
    return undefined
  } catch (error) {
    return `must be a JSON file of callers: ${(error as Error).message}`
  }
}

function* checkNetwork(environment: Environment): Generator<Problem> {
  const {
    HOST: host,
    CALLER_AUTH: auth = 'none',
    RATE_LIMIT_REDIS_URL: redisUrl,
    TRUST_PROXY: proxies,
    CORS_ORIGINS: origins
  } = environment
  if (host !== undefined && !isLoopback(host) && auth === 'none' && environment.ALLOW_UNAUTHENTICATED !== 'true') {
    yield ['HOST', 'must be a loopback address unless CALLER_AUTH asks who calls or ALLOW_UNAUTHENTICATED is true']
  }
  if (redisUrl !== undefined && !/^rediss?:$/.test(URL.parse(redisUrl)?.protocol ?? ''))
    yield ['RATE_LIMIT_REDIS_URL', 'must be a redis or rediss URL']
  if (!listOf(proxies).every(isAddressRange)) yield ['TRUST_PROXY', 'must be addresses or CIDR ranges with commas between them']
  if (!listOf(origins).every(origin => URL.parse(origin)?.origin === origin && origin !== 'null')) {
    yield ['CORS_ORIGINS', 'must be exact origins with commas between them, such as https://app.example.com']
  }
}

/** Whether a host name or an address (an IPv6 one with or without brackets) stands for this machine alone. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (isIP(address) === 4) return address.startsWith('127.')
  return address === 'localhost' || address.endsWith('.localhost') || address === '::1'
}

function isAddressRange(value: string): boolean {
  const [address = '', prefix, ...more] = value.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return more.length === 0 && bits > 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
}

const isHttps = (value: string) => URL.parse(value)?.protocol === 'https:'

/** The parts of a comma-separated setting, without white space and empty parts; none where it is unset. */
export const listOf = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
