// Getting a token from the user pools API: the request, the token and every error name.
import t, { type Test } from 'tap'
import { createSecretExchange } from '../../src/cognito/client-secrets.ts'
import { createClientTokenApi } from '../../src/cognito/client-token-api.ts'
import type { ExchangeOptions } from '../../src/cognito/token-exchange.ts'
import { type Answer, fakeServerFor, json, sendJson } from '../support/fake-server.ts'

const REQUEST_ID = '7bbf4883-256d-4f1b-b060-68dd65fe0e74'
const TOKEN = { ClientAuthenticationResult: { AccessToken: 'eyJ.a.b', ExpiresIn: 3600, TokenType: 'Bearer' } }
const SECRET = 'hush+/=%&ü'

function apiFor(t: Test, endpoint: string, options: Partial<ExchangeOptions> = {}) {
  const api = createClientTokenApi(endpoint, { clientId: 'machine', scopes: [], ...options })
  t.teardown(() => api.close())
  return api
}

const named = (name: string, status = 400) => json(status, { __type: name, message: 'x' })

const FAULTS: [title: string, answer: Answer, code: string, kind: string][] = [
  ['NotAuthorizedException', named('NotAuthorizedException'), 'invalid_client', 'configuration'],
  ['InvalidParameterException', named('InvalidParameterException'), 'invalid_parameter', 'configuration'],
  ['ResourceNotFoundException', named('ResourceNotFoundException'), 'resource_not_found', 'configuration'],
  ['OperationNotEnabledException', named('OperationNotEnabledException'), 'operation_not_enabled', 'configuration'],
  ['ForbiddenException', named('ForbiddenException', 403), 'forbidden', 'configuration'],
  ['TooManyRequestsException', named('TooManyRequestsException'), 'throttled', 'passing'],
  ['TooManyRequestsException in a header alone', json(400, '', { 'x-amzn-errortype': 'TooManyRequestsException' }), 'throttled', 'passing'],
  ['429 without a body', json(429, ''), 'throttled', 'passing'],
  ['InternalErrorException', named('InternalErrorException', 500), 'server_error', 'passing'],
  ['InternalErrorException with 400', named('InternalErrorException'), 'server_error', 'passing'],
  ['503 that names a fault of configuration', named('NotAuthorizedException', 503), 'server_error', 'passing'],
  ['a name behind a namespace', named('com.amazonaws.cognito#NotAuthorizedException'), 'invalid_client', 'configuration'],
  ['a name before a URL', named('NotAuthorizedException:http://internal.example.com/x#y'), 'invalid_client', 'configuration'],
  [
    'a name in the header, before a URL',
    json(400, {}, { 'x-amzn-errortype': 'ForbiddenException:http://a/' }),
    'forbidden',
    'configuration'
  ],
  [
    'a name in the header, no JSON in the body',
    json(403, '<html>', { 'x-amzn-errortype': 'ForbiddenException' }),
    'forbidden',
    'configuration'
  ],
  ['a name that is no text', json(400, { __type: 7 }), 'invalid_response', 'passing'],
  ['an unknown name', named('SerializationException'), 'invalid_response', 'passing'],
  ['a name of the other way', json(400, { error: 'invalid_client' }), 'invalid_response', 'passing'],
  ['200 with a name', named('NotAuthorizedException', 200), 'invalid_response', 'passing'],
  [
    '200 with a token as the token endpoint writes it',
    json(200, { access_token: 'a', expires_in: 1, token_type: 'Bearer' }),
    'invalid_response',
    'passing'
  ],
  ['200 with HTML', json(200, '<html>'), 'invalid_response', 'passing'],
  ['201 with a token', json(201, TOKEN), 'invalid_response', 'passing'],
  ['a connection that breaks', response => response.destroy(), 'unreachable', 'passing']
]

for (const [title, answer, code, kind] of FAULTS)
  t.test(`${title} is ${code}`, async t => {
    const server = await fakeServerFor(t, answer)
    await t.rejects(apiFor(t, server.url).exchange(SECRET), { name: 'ExchangeError', code, kind })
    t.equal(server.received.length, 1)
  })

t.test('the advice names AWS_COGNITO_ENDPOINT', async t => {
  await t.rejects(apiFor(t, 'http://127.0.0.1:1').exchange(SECRET), { message: /check AWS_COGNITO_ENDPOINT,/ })
  const server = await fakeServerFor(t, json(200, '<html>'))
  await t.rejects(apiFor(t, server.url).exchange(SECRET), { message: /check AWS_COGNITO_ENDPOINT,/ })
  server.answer = named('OperationNotEnabledException')
  await t.rejects(apiFor(t, server.url).exchange(SECRET), { message: /ALLOW_CLIENT_TOKEN_AUTH.*AWS_COGNITO_ENDPOINT/ })
})

t.test('a failure keeps the request ID for AWS support, and the wait', async t => {
  const server = await fakeServerFor(t, json(429, {}, { 'x-amzn-requestid': REQUEST_ID, 'retry-after': '3' }))
  await t.rejects(apiFor(t, server.url).exchange(SECRET), { code: 'throttled', cognitoRequestId: REQUEST_ID, retryAfterMs: 3_000 })
})

t.test('after NotAuthorizedException, the fallback secret is tried', async t => {
  const server = await fakeServerFor(t, (response, { body }) =>
    body.includes('"old"') ? sendJson(response, { __type: 'NotAuthorizedException' }, 400) : sendJson(response, TOKEN)
  )
  const exchange = createSecretExchange(apiFor(t, server.url), { secret: 'old', fallback: 'new' })
  t.match(await exchange(), { accessToken: 'eyJ.a.b' })
  t.equal(server.received.length, 2)
})

t.test('a token comes with its lifetime, the date of the answer and the request ID', async t => {
  const date = 'Sun, 06 Nov 1994 08:49:37 GMT'
  const server = await fakeServerFor(t, json(200, TOKEN, { date, 'x-amzn-requestid': REQUEST_ID }))
  t.strictSame(await apiFor(t, server.url).exchange(SECRET), {
    accessToken: 'eyJ.a.b',
    expiresInSeconds: 3600,
    date,
    cognitoRequestId: REQUEST_ID
  })
})

t.test('the request is one unsigned POST of AWS JSON 1.1 with the client ID and secret unchanged', async t => {
  const server = await fakeServerFor(t, json(200, TOKEN))
  await apiFor(t, server.url).exchange(SECRET)
  const [request] = server.received
  t.match(request, {
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken' }
  })
  t.equal(request?.headers.authorization, undefined)
  t.strictSame(JSON.parse(request?.body ?? ''), { ClientId: 'machine', Secret: SECRET })
})

t.test('scopes are sent as a list and client metadata as an object, if they are set', async t => {
  const server = await fakeServerFor(t, json(200, TOKEN))
  await apiFor(t, `${server.url}/`, { scopes: ['hasura/read', 'hasura/write'], clientMetadata: { tenant: 'a' } }).exchange(SECRET)
  t.equal(server.received[0]?.url, '/')
  t.match(JSON.parse(server.received[0]?.body ?? ''), { Scopes: ['hasura/read', 'hasura/write'], ClientMetadata: { tenant: 'a' } })
})
