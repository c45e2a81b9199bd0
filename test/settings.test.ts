// Bad settings prevent the start; all of them are named, and no value is shown.
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadSettings, readEnvironment, SettingsError } from '../src/settings.ts'
import { isLoopback } from '../src/settings-checks.ts'
import { environmentFor } from './support/gateway.ts'
import { startService } from './support/service-process.ts'

const GOOD = environmentFor('https://acme.auth.eu-west-1.amazoncognito.com', 'https://hasura.example.com')

async function problemsOf(overrides: Record<string, string | undefined>): Promise<SettingsError | undefined> {
  const entries = Object.entries({ ...GOOD, ...overrides }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  try {
    await loadSettings(Object.fromEntries(entries))
    return undefined
  } catch (error) {
    if (error instanceof SettingsError) return error
    throw error
  }
}

t.test('an empty environment names every missing setting at once', async t => {
  const error = await loadSettings({}).catch(error => error)
  t.type(error, SettingsError)
  for (const name of ['AWS_COGNITO_DOMAIN', 'AWS_COGNITO_APP_CLIENT_ID', 'AWS_COGNITO_APP_CLIENT_SECRET', 'GRAPHQL_ENDPOINT']) {
    t.match(error.message, new RegExp(`${name}: is missing`))
  }
})

t.test('each bad setting is named with what was expected, and its value is not shown', async t => {
  const secret = 'v3ry-secret'
  const cases: [string, string, RegExp][] = [
    ['AWS_COGNITO_DOMAIN', secret, /https URL/],
    ['AWS_COGNITO_DOMAIN', `ftp://${secret}`, /https URL/],
    ['AWS_COGNITO_DOMAIN', `http://${secret}.example.com`, /loopback/],
    ['AWS_COGNITO_DOMAIN', `https://user:${secret}@example.com`, /without a user name/],
    ['AWS_COGNITO_DOMAIN', `https://example.com/?a=${secret}`, /without .*a query/],
    ['AWS_COGNITO_ENDPOINT', secret, /https URL/],
    ['AWS_COGNITO_ENDPOINT', `https://${secret}.example.com`, /set together with AWS_COGNITO_DOMAIN/],
    ['AWS_COGNITO_CLIENT_METADATA', secret, /JSON object/],
    ['AWS_COGNITO_CLIENT_METADATA', `["${secret}"]`, /JSON object/],
    ['AWS_COGNITO_CLIENT_METADATA', `{"${secret}":1}`, /values are strings/],
    ['GRAPHQL_ENDPOINT', `http://${secret}.example.com/v1/graphql`, /loopback/],
    ['AWS_COGNITO_APP_CLIENT_SECRET_FILE', `/nowhere/${secret}`, /set together/],
    ['GRAPHQL_TOKEN_HEADER', `${secret} x`, /HTTP header/],
    ['GRAPHQL_TOKEN_HEADER', 'content-length', /HTTP header/],
    ['HTTPS_PROXY', `socks5://${secret}:1080`, /http or https URL of a proxy/],
    ['HTTP_PROXY', `http://user:${secret}%@proxy.example.com`, /http or https URL of a proxy/],
    ['GRAPHQL_TIMEOUT_MS', secret, /whole number/],
    ['GRAPHQL_TIMEOUT_MS', '0', /from 1 to/],
    ['GRAPHQL_TIMEOUT_MS', '2147483648', /to 2147483647/],
    ['GRAPHQL_CONNECTIONS', '-1', /from 1/],
    ['GRAPHQL_ALLOWED_OPERATIONS', secret, /query, mutation/],
    ['GRAPHQL_ALLOWED_OPERATIONS', 'query,introspection', /query, mutation/],
    ['SUBSCRIPTIONS_MAX', '0', /from 1/],
    ['GRAPHQL_MAX_DEPTH', '1.5', /whole number/],
    ['GRAPHQL_MAX_TOKENS', 'many', /whole number/],
    ['GRAPHQL_MAX_FIELDS', '0', /from 1/],
    ['GRAPHQL_MAX_ALIASES', '-1', /from 0/],
    ['GRAPHQL_MAX_DIRECTIVES', '-1', /from 0/],
    ['FORWARD_HEADERS', 'x-tenant, authorization', /credential/],
    ['FORWARD_HEADERS', 'Cookie', /credential/],
    ['FORWARD_HEADERS', 'X-Hasura-Admin-Secret', /credential/],
    ['FORWARD_HEADERS', 'x-hasura-user-id', /credential/],
    ['FORWARD_HEADERS', 'x api', /credential/],
    ['TRUST_PROXY', '0.0.0.0/0', /no range of all addresses/],
    ['TRUST_PROXY', '10.0.0.0/8,::/0', /no range of all addresses/],
    ['TRUST_PROXY', '10.0.0.0/00', /CIDR/],
    ['CALLER_JWT_SCOPES', 'a"b', /scopes/],
    ['FORWARD_HEADERS', 'content-length', /credential/],
    ['HOST', '0.0.0.0', /ALLOW_UNAUTHENTICATED/],
    ['PORT', '65536', /65535/],
    ['PORT', secret, /65535/],
    ['BODY_LIMIT_BYTES', '1 MB', /whole number/],
    ['LOG_LEVEL', secret, /trace, debug/],
    ['ALLOW_INSECURE_UPSTREAMS', 'yes', /true or false/],
    ['GRAPHQL_ADHOC', 'no', /true or false/],
    ['DOCS_ENABLED', '1', /true or false/],
    ['SHUTDOWN_GRACE_MS', '-1', /from 0/]
  ]
  for (const [name, value, expected] of cases) {
    const error = await problemsOf({ [name]: value })
    t.match(error?.problems.get(name), expected, `${name}=${value}`)
    t.notMatch(error?.message ?? '', secret, 'the value is not shown')
  }
})

t.test('headers that carry a credential cannot be forwarded, others can', async t => {
  const credentials =
    'x-access-token access-token X-Auth-Token x-id-token apikey api-key X-API-Key x-apikey dpop DPoP cf-access-jwt-assertion cf-access-token ' +
    'cf-access-client-secret x-amzn-oidc-data x-amzn-oidc-accesstoken x-amzn-oidc-identity x-amz-security-token x-goog-iap-jwt-assertion ' +
    'x-forwarded-access-token x-forwarded-client-cert x-ms-token-aad-access-token x-ms-client-principal ocp-apim-subscription-key private-token ' +
    'x-vault-token x-functions-key x-rapidapi-key x-jwt jwt x-session-id x-client-secret proxy-authorization x-original-authorization ' +
    'x-endpoint-api-userinfo x-csrf-token set-cookie'
  for (const name of credentials.split(' '))
    t.match((await problemsOf({ FORWARD_HEADERS: name }))?.problems.get('FORWARD_HEADERS'), /credential/, name)
  const others =
    'x-tenant x-tenant-id x-b3-traceid x-amzn-trace-id x-forwarded-for x-real-ip user-agent accept-language x-author idempotency-key x-correlation-id baggage'
  t.equal(await problemsOf({ FORWARD_HEADERS: others.replaceAll(' ', ',') }), undefined)
})

t.test('all bad settings are named in one message', async t => {
  const error = await problemsOf({
    PORT: 'x',
    LOG_LEVEL: 'x',
    GRAPHQL_ENDPOINT: 'x',
    AWS_COGNITO_APP_CLIENT_ID: undefined,
    FORWARD_HEADERS: 'cookie'
  })
  t.strictSame([...(error?.problems.keys() ?? [])].sort(), [
    'AWS_COGNITO_APP_CLIENT_ID',
    'FORWARD_HEADERS',
    'GRAPHQL_ENDPOINT',
    'LOG_LEVEL',
    'PORT'
  ])
})

t.test('the secret comes from the setting or from a file', async t => {
  const folder = t.testdir({ secret: 's3cret\n', empty: '\n' })
  const withFile = (path: string) => problemsOf({ AWS_COGNITO_APP_CLIENT_SECRET: undefined, AWS_COGNITO_APP_CLIENT_SECRET_FILE: path })
  t.match((await withFile(join(folder, 'gone')))?.problems.get('AWS_COGNITO_APP_CLIENT_SECRET_FILE'), /readable/)
  t.match((await withFile(join(folder, 'empty')))?.problems.get('AWS_COGNITO_APP_CLIENT_SECRET_FILE'), /not empty/)
  t.match((await withFile(folder))?.problems.get('AWS_COGNITO_APP_CLIENT_SECRET_FILE'), /readable/)
  t.equal(await withFile(join(folder, 'secret')), undefined)
  const both = await problemsOf({ AWS_COGNITO_APP_CLIENT_SECRET_FILE: join(folder, 'secret') })
  t.strictSame([...(both?.problems.keys() ?? [])], ['AWS_COGNITO_APP_CLIENT_SECRET', 'AWS_COGNITO_APP_CLIENT_SECRET_FILE'])
})

t.test('a configured operations folder must exist, and a schema file must be readable', async t => {
  const folder = t.testdir({ file: '' })
  for (const path of [join(folder, 'gone'), join(folder, 'file')]) {
    const error = await problemsOf({ OPERATIONS_DIR: path, HASURA_SCHEMA_FILE: folder })
    t.match(error?.problems.get('OPERATIONS_DIR'), /existing folder/)
    t.match(error?.problems.get('HASURA_SCHEMA_FILE'), /readable file/)
    t.notMatch(error?.message ?? '', folder, 'the value is not shown')
  }
  t.equal(await problemsOf({ OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: join(folder, 'file') }), undefined)
})

t.test('http is accepted for a loopback host, or if it is allowed', async t => {
  for (const host of ['127.0.0.1', 'localhost', '[::1]'])
    t.equal(await problemsOf({ GRAPHQL_ENDPOINT: `http://${host}:8080/v1/graphql` }), undefined, host)
  t.equal(await problemsOf({ GRAPHQL_ENDPOINT: 'http://hasura:8080/v1/graphql', ALLOW_INSECURE_UPSTREAMS: 'true' }), undefined)
})

t.test('the service listens beyond loopback only if that is allowed', async t => {
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) t.equal(await problemsOf({ HOST: host }), undefined, host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.example.com']) t.ok(await problemsOf({ HOST: host }), host)
  t.equal(await problemsOf({ HOST: '0.0.0.0', ALLOW_UNAUTHENTICATED: 'true' }), undefined)
  t.notOk(isLoopback('1127.0.0.1'))
})

t.test('tokens come from the domain or from the API, never from both', async t => {
  const problemsFor = async (domain: string | undefined, endpoint: string | undefined) =>
    Object.fromEntries((await problemsOf({ AWS_COGNITO_DOMAIN: domain, AWS_COGNITO_ENDPOINT: endpoint }))?.problems ?? [])
  t.strictSame(await problemsFor(undefined, 'https://cognito-idp.eu-west-1.amazonaws.com'), {})
  t.strictSame(await problemsFor(GOOD.AWS_COGNITO_DOMAIN, undefined), {})
  t.match(await problemsFor(undefined, undefined), { AWS_COGNITO_DOMAIN: /is missing: .*AWS_COGNITO_ENDPOINT/ })
  t.strictSame(await problemsFor('https://a.example.com', 'https://b.example.com'), {
    AWS_COGNITO_DOMAIN: 'must not be set together with AWS_COGNITO_ENDPOINT',
    AWS_COGNITO_ENDPOINT: 'must not be set together with AWS_COGNITO_DOMAIN'
  })
  t.match(await problemsFor('nowhere', 'https://b.example.com'), { AWS_COGNITO_DOMAIN: /https URL/, AWS_COGNITO_ENDPOINT: /together/ })
  t.strictSame(Object.keys(await problemsFor(undefined, 'nowhere')), ['AWS_COGNITO_ENDPOINT'], 'what is set and bad is not missing')
  t.match(await problemsFor(undefined, 'http://b.example.com'), { AWS_COGNITO_ENDPOINT: /loopback/ })
})

t.test('client metadata is a JSON object of strings', async t => {
  const read = async (text: string) => (await loadSettings({ ...GOOD, AWS_COGNITO_CLIENT_METADATA: text })).AWS_COGNITO_CLIENT_METADATA
  t.strictSame(await read('{"tenant":"a","__proto__":"b"}'), JSON.parse('{"tenant":"a","__proto__":"b"}'))
  t.strictSame(await read('{}'), {})
  for (const bad of ['{', '7', 'null', '"a"', '[]', '{"a":null}', '{"a":{}}'])
    t.ok((await problemsOf({ AWS_COGNITO_CLIENT_METADATA: bad }))?.problems.has('AWS_COGNITO_CLIENT_METADATA'), bad)
})

t.test('the defaults are the documented ones', async t => {
  t.strictSame(await loadSettings(GOOD), {
    AWS_COGNITO_DOMAIN: new URL('https://acme.auth.eu-west-1.amazoncognito.com'),
    AWS_COGNITO_APP_CLIENT_ID: 'client-id',
    AWS_COGNITO_APP_CLIENT_SECRET: 'client-secret',
    GRAPHQL_ENDPOINT: new URL(GOOD.GRAPHQL_ENDPOINT ?? ''),
    GRAPHQL_TOKEN_HEADER: 'Authorization',
    GRAPHQL_TIMEOUT_MS: 30000,
    GRAPHQL_CONNECTIONS: 128,
    GRAPHQL_QUEUE: 1024,
    GRAPHQL_ALLOWED_OPERATIONS: new Set(['query', 'mutation']),
    GRAPHQL_MAX_DEPTH: 20,
    GRAPHQL_MAX_TOKENS: 5000,
    GRAPHQL_MAX_FIELDS: 5000,
    GRAPHQL_MAX_ALIASES: 50,
    GRAPHQL_MAX_DIRECTIVES: 50,
    HOST: '127.0.0.1',
    PORT: 0,
    BODY_LIMIT_BYTES: 1048576,
    BODY_BUDGET_BYTES: 67108864,
    MAX_CONNECTIONS: 10000,
    LOG_LEVEL: 'info',
    ALLOW_INSECURE_UPSTREAMS: false,
    CALLER_AUTH: new Set(),
    CALLER_JWT_CLIENT_IDS: [],
    CALLER_JWT_SCOPES: [],
    AWS_COGNITO_SCOPES: [],
    HASURA_ALLOWED_ROLES: new Set(),
    FORWARD_HEADERS: [],
    TRUST_PROXY: [],
    CORS_ORIGINS: new Set(),
    RATE_LIMIT_PER_MINUTE: 0,
    ALLOW_UNAUTHENTICATED: false,
    OPERATIONS_DIR: GOOD.OPERATIONS_DIR,
    GRAPHQL_ADHOC: true,
    ANSWER_CACHE_MAX_BYTES: 67_108_864,
    DOCS_ENABLED: false,
    SUBSCRIPTIONS_MAX: 1000,
    MCP_ENABLED: false,
    NO_PROXY: [],
    METRICS_PORT: 0,
    SHUTDOWN_GRACE_MS: 10000
  })
})

t.test('the environment takes precedence over the .env file, and empty values count as unset', async t => {
  const path = join(t.testdir(), '.env')
  t.strictSame(readEnvironment(path, { A: '1' }), { A: '1' }, 'there need be no file')
  writeFileSync(path, '# a comment\nA=file\nB="file"\nC=\nexport D=file\n')
  t.strictSame(readEnvironment(path, { A: 'environment', B: '', E: undefined }), { A: 'environment', B: 'file', D: 'file' })
})

t.test('a folder named .env is a bad setting, not a stack trace', async t => {
  const { exited, output } = startService({}, t.testdir({ '.env': {} }))
  t.equal(await exited, 1)
  t.equal(output(), 'Bad settings:\n  .env: must be a readable file (EISDIR)\n')
})

t.test('lower-case proxy variables are read too, and take precedence', async t => {
  const path = join(t.testdir({ '.env': 'https_proxy=file-small\nHTTP_PROXY=file\nno_proxy=file' }), '.env')
  const read = (environment: NodeJS.Dict<string>) => {
    const { HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = readEnvironment(path, environment)
    return [HTTPS_PROXY, HTTP_PROXY, NO_PROXY]
  }
  t.strictSame(read({}), ['file-small', 'file', 'file'])
  t.strictSame(read({ HTTPS_PROXY: 'capitals', http_proxy: 'small', HTTP_PROXY: 'capitals', no_proxy: '', NO_PROXY: 'capitals' }), [
    'capitals',
    'small',
    'capitals'
  ])
})

t.test('a setting is parsed once into its meaning', async t => {
  const settings = await loadSettings({
    ...GOOD,
    GRAPHQL_ALLOWED_OPERATIONS: ' mutation ',
    HASURA_ALLOWED_ROLES: 'reader, editor,,',
    FORWARD_HEADERS: 'X-B,x-a',
    TRUST_PROXY: '10.0.0.0/8, ::1',
    CORS_ORIGINS: 'https://app.example.com',
    CALLER_JWT_SCOPES: 'api/read api/write, api/admin',
    AWS_COGNITO_SCOPES: ' hasura/read  hasura/write,all '
  })
  t.strictSame(settings.GRAPHQL_ALLOWED_OPERATIONS, new Set(['mutation']))
  t.strictSame(settings.HASURA_ALLOWED_ROLES, new Set(['reader', 'editor']))
  t.strictSame(settings.FORWARD_HEADERS, ['x-b', 'x-a'])
  t.strictSame(settings.CALLER_JWT_SCOPES, ['api/read', 'api/write', 'api/admin'])
  t.strictSame(settings.AWS_COGNITO_SCOPES, ['hasura/read', 'hasura/write,all'])
  t.strictSame(settings.TRUST_PROXY, ['10.0.0.0/8', '::1'])
  t.strictSame(settings.CORS_ORIGINS, new Set(['https://app.example.com']))
  t.equal(settings.GRAPHQL_ENDPOINT.href, new URL(GOOD.GRAPHQL_ENDPOINT ?? '').href)
})

t.test('CALLER_AUTH is none, one kind or both, in either order', async t => {
  const folder = t.testdir({ 'callers.json': '{"callers":[]}' })
  const kindsFor = async (value: string) =>
    (
      await loadSettings({
        ...GOOD,
        CALLER_AUTH: value,
        CALLER_KEYS_FILE: join(folder, 'callers.json'),
        CALLER_JWT_ISSUER: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc123'
      })
    ).CALLER_AUTH
  t.strictSame(await kindsFor('none'), new Set())
  t.strictSame(await kindsFor('jwt'), new Set(['jwt']))
  for (const both of ['api-key,jwt', 'jwt , api-key']) t.strictSame([...(await kindsFor(both))], ['api-key', 'jwt'], both)
  for (const bad of ['none,jwt', 'api-key,basic', ' , '])
    t.match((await problemsOf({ CALLER_AUTH: bad }))?.problems.get('CALLER_AUTH'), /none, api-key/)
})

t.test('a list that contains only commas and blanks is a bad setting', async t => {
  for (const name of [
    'HASURA_ALLOWED_ROLES',
    'FORWARD_HEADERS',
    'TRUST_PROXY',
    'CORS_ORIGINS',
    'CALLER_JWT_CLIENT_IDS',
    'CALLER_JWT_SCOPES',
    'NO_PROXY',
    'GRAPHQL_ALLOWED_OPERATIONS'
  ])
    t.match((await problemsOf({ [name]: ' , ' }))?.problems.get(name), /^must be /, name)
  t.match((await problemsOf({ AWS_COGNITO_SCOPES: '  ' }))?.problems.get('AWS_COGNITO_SCOPES'), /^must be /)
})

t.test('settings that belong together are checked even if another setting is bad', async t => {
  const error = await problemsOf({
    PORT: 'x',
    HOST: '0.0.0.0',
    CALLER_AUTH: 'none',
    FORWARD_HEADERS: 'x-token',
    GRAPHQL_TOKEN_HEADER: 'X-Token'
  })
  t.strictSame([...(error?.problems.keys() ?? [])].sort(), ['FORWARD_HEADERS', 'HOST', 'PORT'])
})

t.test('a role in the keys file must be allowed by the settings', async t => {
  const keysFile = t.testdir({ 'callers.json': JSON.stringify({ callers: [{ name: 'a', keySha256: ['ab'.repeat(32)], role: 'reader' }] }) })
  const problem = async (roles: string) =>
    (
      await problemsOf({ CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: join(keysFile, 'callers.json'), HASURA_ALLOWED_ROLES: roles })
    )?.problems.get('CALLER_KEYS_FILE')
  t.match(await problem('editor'), /callers\/0\/role: must be one of HASURA_ALLOWED_ROLES/)
  t.equal(await problem('editor,reader'), undefined)
  t.equal(await problem(' , '), undefined, 'where the roles are bad, they alone are named')
})

t.test('a Cognito issuer of either kind and in any partition needs no other setting', async t => {
  const problems = async (issuer: string) => [
    ...((await problemsOf({ CALLER_AUTH: 'jwt', CALLER_JWT_ISSUER: issuer }))?.problems.keys() ?? [])
  ]
  for (const issuer of [
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc123',
    'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc123',
    'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_abc123',
    'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_abc123',
    'https://issuer-cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_abc123',
    'https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_abc123'
  ])
    t.strictSame(await problems(issuer), [], issuer)
  for (const issuer of [
    'https://cognito-idp.eu-west-1.amazonaws.com.example.com/eu-west-1_abc123',
    'https://cognito-idp.eu-west-1.example.com/eu-west-1_abc123',
    'https://evil-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc123'
  ])
    t.strictSame(await problems(issuer), ['CALLER_JWT_JWKS_URL', 'CALLER_JWT_AUDIENCE'], issuer)
})

t.test('an issuer other than Cognito needs the URL of its keys and an audience', async t => {
  const other = { CALLER_AUTH: 'jwt', CALLER_JWT_ISSUER: 'https://issuer.example.com' }
  const problems = async (more: Record<string, string>) => [...((await problemsOf({ ...other, ...more }))?.problems.keys() ?? [])]
  t.strictSame(await problems({}), ['CALLER_JWT_JWKS_URL', 'CALLER_JWT_AUDIENCE'])
  t.strictSame(await problems({ CALLER_JWT_JWKS_URL: 'http://issuer.example.com/jwks', CALLER_JWT_AUDIENCE: 'a' }), ['CALLER_JWT_JWKS_URL'])
  t.strictSame(await problems({ CALLER_JWT_JWKS_URL: 'https://issuer.example.com/jwks', CALLER_JWT_AUDIENCE: 'a' }), [])
})

t.test('an invalid, missing or too large manifest of persisted documents is a bad setting', async t => {
  const folder = t.testdir({
    'broken.json': '{"secret"',
    'twice.json': '{"a":"{ a }","a":"{ b }"}',
    'good.json': '{"a":"{ a }"}',
    'large.json': ''
  })
  truncateSync(`${folder}/large.json`, 64 * 1024 * 1024 + 1)
  for (const [name, message] of [
    ['broken.json', /PERSISTED_DOCUMENTS_FILE: must be a manifest of persisted documents: it is not JSON$/],
    ['twice.json', /two documents have the same id$/],
    ['none.json', /must be the path of a readable file/],
    ['large.json', /at most 64 MiB$/],
    ['', /must be the path of a readable file/]
  ] as const)
    await t.rejects(loadSettings({ ...GOOD, PERSISTED_DOCUMENTS_FILE: `${folder}/${name}` }), { message }, name || 'a folder')
  t.ok(await loadSettings({ ...GOOD, PERSISTED_DOCUMENTS_FILE: `${folder}/good.json` }))
})
