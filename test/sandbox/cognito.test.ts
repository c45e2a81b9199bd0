// The Cognito stand-in: its token endpoint, its keys and the claims of its tokens.
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { type CognitoStandIn, startCognito } from '../../sandbox/cognito.ts'

const CLIENT = { clientId: 'machine', clientSecret: 'se+cr%et /=&' }
const GRANT = { grant_type: 'client_credentials', client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret }

async function cognitoFor(t: Test): Promise<CognitoStandIn> {
  const cognito = await startCognito({ ...CLIENT, scopes: 'hasura/read hasura/write', tokenLifetimeSeconds: 90 })
  t.teardown(() => cognito.close())
  return cognito
}

function ask(cognito: CognitoStandIn, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(cognito.tokenEndpoint, { method: 'POST', headers, body: new URLSearchParams(form) })
}

async function tokenOf(response: Response): Promise<string> {
  return JSON.parse(await response.text()).access_token
}

function basic(id: string, secret: string): Record<string, string> {
  const encoded = [id, secret].map(encodeURIComponent).join(':')
  return { authorization: `Basic ${Buffer.from(encoded).toString('base64')}` }
}

const FAULTS = [
  { title: 'a wrong secret', form: { ...GRANT, client_secret: 'wrong' }, error: 'invalid_client' },
  { title: 'an unknown client', form: { ...GRANT, client_id: 'nobody' }, error: 'invalid_client' },
  { title: 'a missing secret', form: { grant_type: 'client_credentials', client_id: 'machine' }, error: 'invalid_client' },
  { title: 'a scope that is not enabled', form: { ...GRANT, scope: 'hasura/read hasura/admin' }, error: 'invalid_scope' },
  { title: 'another grant', form: { ...GRANT, grant_type: 'password' }, error: 'unsupported_grant_type' },
  { title: 'no grant', form: { client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret }, error: 'invalid_request' },
  { title: 'a resource', form: { ...GRANT, resource: 'https://example.com/' }, error: 'invalid_request' }
]

for (const { title, form, error } of FAULTS)
  t.test(`${title} is answered 400 with nothing but ${error}`, async t => {
    const response = await ask(await cognitoFor(t), form)
    t.equal(response.status, 400)
    t.equal(response.headers.get('content-type'), 'application/json;charset=UTF-8')
    t.equal(await response.text(), `{"error":"${error}"}`)
  })

t.test('a wrong secret with HTTP Basic is 400 too, without a challenge', async t => {
  const response = await ask(await cognitoFor(t), { grant_type: 'client_credentials' }, basic('machine', 'wrong'))
  t.equal(response.status, 400)
  t.equal(await response.text(), '{"error":"invalid_client"}')
  t.equal(response.headers.get('www-authenticate'), null)
})

t.test('a token response has exactly three members and a request ID', async t => {
  const response = await ask(await cognitoFor(t), GRANT)
  const body = JSON.parse(await response.text())
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'application/json;charset=UTF-8')
  t.match(response.headers.get('x-amz-cognito-request-id'), /^[0-9a-f-]{36}$/)
  t.match(body, { access_token: /^eyJ/, expires_in: 90, token_type: 'Bearer' })
  t.equal(Object.keys(body).join(), 'access_token,expires_in,token_type')
})

t.test('the token has all claims of a Cognito token and no audience', async t => {
  const cognito = await cognitoFor(t)
  const token = await tokenOf(await ask(cognito, GRANT))
  const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(cognito.jwksUrl)))
  t.same(Object.keys(protectedHeader).sort(), ['alg', 'kid'])
  t.equal(protectedHeader.alg, 'RS256')
  t.match(payload, {
    sub: 'machine',
    client_id: 'machine',
    token_use: 'access',
    scope: 'hasura/read hasura/write',
    iss: `${cognito.url}/local_sandbox`,
    version: 2,
    jti: String
  })
  t.equal(Number(payload.exp) - Number(payload.iat), 90)
  t.equal(payload.auth_time, payload.iat)
  t.equal(Object.keys(payload).sort().join(), 'auth_time,client_id,exp,iat,iss,jti,scope,sub,token_use,version')
})

t.test('a requested scope is the only one in the token', async t => {
  const token = await tokenOf(await ask(await cognitoFor(t), { ...GRANT, scope: 'hasura/read' }))
  t.equal(decodeJwt(token).scope, 'hasura/read')
})

t.test('HTTP Basic works as well as the form', async t => {
  const response = await ask(await cognitoFor(t), { grant_type: 'client_credentials' }, basic(CLIENT.clientId, CLIENT.clientSecret))
  t.equal(response.status, 200)
})

t.test('a token made by hand is signed with the same key', async t => {
  const cognito = await cognitoFor(t)
  const token = await cognito.issueToken({ exp: 1 })
  const keys = createRemoteJWKSet(new URL(cognito.jwksUrl))
  await t.rejects(jwtVerify(token, keys), { code: 'ERR_JWT_EXPIRED' })
  t.equal((await jwtVerify(token, keys, { currentDate: new Date(0) })).payload.sub, 'machine')
})

t.test('the keys contain no private part', async t => {
  const response = await fetch((await cognitoFor(t)).jwksUrl)
  const { keys } = JSON.parse(await response.text())
  t.equal(keys.length, 1)
  t.same(Object.keys(keys[0]).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
})
