// The Hasura stand-in's answers about the token, byte for byte.
import type { JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import { startCognito } from '../../sandbox/cognito.ts'
import { errorText, post, type StandIns, standInsFor } from './support.ts'

const QUERY = { query: '{ users(limit: 1) { id } }' }
const V1ALPHA1 = (url: string) => url.replace('/v1/', '/v1alpha1/')

async function assertRefused(t: Test, { hasura }: StandIns, headers: Record<string, string>, expected: string): Promise<void> {
  const answer = await post(hasura.url, QUERY, headers)
  t.equal(answer.text, expected)
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  const old = await post(V1ALPHA1(hasura.url), QUERY, headers)
  t.equal(old.text, expected)
  t.equal(old.status, 400)
}

const CLAIM_FAULTS: readonly { title: string; claims: JWTPayload; options?: object; expected: string }[] = [
  {
    title: 'an expired token is JWTExpired',
    claims: { exp: 1 },
    expected: '{"errors":[{"extensions":{"path":"$","code":"invalid-jwt"},"message":"Could not verify JWT: JWTExpired"}]}'
  },
  {
    title: 'another issuer is JWTNotInIssuer',
    claims: { iss: 'https://elsewhere.example' },
    expected: errorText('invalid-jwt', 'Could not verify JWT: JWTNotInIssuer')
  },
  {
    title: 'a token without the audience asked for is JWTNotInAudience',
    claims: {},
    options: { audience: 'hasura' },
    expected: errorText('invalid-jwt', 'Could not verify JWT: JWTNotInAudience')
  },
  {
    title: 'a token without Hasura claims is jwt-invalid-claims where no claims are mapped',
    claims: {},
    options: { claims: 'token' },
    expected: errorText('jwt-invalid-claims', "claims key: 'https://hasura.io/jwt/claims' not found")
  },
  {
    title: 'Hasura claims without roles are jwt-missing-role-claims',
    claims: { 'https://hasura.io/jwt/claims': {} },
    options: { claims: 'token' },
    expected: errorText('jwt-missing-role-claims', 'JWT claim does not contain x-hasura-allowed-roles')
  }
]

for (const { title, claims, options, expected } of CLAIM_FAULTS)
  t.test(title, async t => {
    const standIns = await standInsFor(t, options)
    await assertRefused(t, standIns, { authorization: `Bearer ${await standIns.cognito.issueToken(claims)}` }, expected)
  })

const HEADER_FAULTS: readonly { title: string; headers: Record<string, string>; expected: string }[] = [
  {
    title: 'a missing header is invalid-headers',
    headers: {},
    expected: errorText('invalid-headers', "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")
  },
  {
    title: 'a header without Bearer is malformed',
    headers: { authorization: 'Basic bWU6eW91' },
    expected: errorText('invalid-headers', 'Malformed Authorization header')
  },
  {
    title: 'a text that is no JWT is a CompactDecodeError',
    headers: { authorization: 'Bearer nonsense' },
    expected: errorText(
      'invalid-jwt',
      'Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 1)'
    )
  },
  {
    title: 'three parts that are no JWT are a CompactDecodeError too',
    headers: { authorization: 'Bearer a.b.c' },
    expected: errorText('invalid-jwt', 'Could not verify JWT: JWSError (CompactDecodeError Protected header contains invalid JSON)')
  }
]

for (const { title, headers, expected } of HEADER_FAULTS)
  t.test(title, async t => assertRefused(t, await standInsFor(t), headers, expected))

t.test('a token signed with an unknown key is JWSInvalidSignature', async t => {
  const standIns = await standInsFor(t)
  const other = await startCognito({ clientId: 'machine', clientSecret: 'secret' })
  t.teardown(() => other.close())
  const authorization = `Bearer ${await other.issueToken({ iss: standIns.cognito.issuer })}`
  await assertRefused(t, standIns, { authorization }, errorText('invalid-jwt', 'Could not verify JWT: JWSError JWSInvalidSignature'))
})

t.test('a token with a changed signature is JWSInvalidSignature', async t => {
  const standIns = await standInsFor(t)
  const [header, , signature] = (await standIns.cognito.issueToken()).split('.')
  const [, payload] = (await standIns.cognito.issueToken({ sub: 'somebody-else' })).split('.')
  const authorization = `Bearer ${header}.${payload}.${signature}`
  await assertRefused(t, standIns, { authorization }, errorText('invalid-jwt', 'Could not verify JWT: JWSError JWSInvalidSignature'))
})

t.test('a role that is not allowed is access-denied', async t => {
  const standIns = await standInsFor(t)
  const headers = { authorization: `Bearer ${await standIns.cognito.issueToken()}`, 'x-hasura-role': 'admin' }
  await assertRefused(t, standIns, headers, errorText('access-denied', 'Your requested role is not in allowed roles'))
})

t.test('a token is refused before the body is read', async t => {
  const { hasura } = await standInsFor(t)
  const answer = await post(hasura.url, 'no json', { authorization: 'Bearer nonsense' })
  t.match(answer.text, 'CompactDecodeError')
})

t.test('an expired token passes within the skew', async t => {
  const { cognito, hasura } = await standInsFor(t, { allowedSkewSeconds: 30 })
  const expired = await cognito.issueToken({ exp: Math.floor(Date.now() / 1000) - 5 })
  const answer = await post(hasura.url, QUERY, { authorization: `Bearer ${expired}` })
  t.equal(answer.text, '{"data":{"users":[{"id":1}]}}')
})

t.test('roles in the token count if no claims are mapped', async t => {
  const { cognito, hasura } = await standInsFor(t, { claims: 'token' })
  const claims = { 'x-hasura-allowed-roles': ['reader'], 'x-hasura-default-role': 'reader' }
  const token = await cognito.issueToken({ 'https://hasura.io/jwt/claims': claims })
  const answer = await post(hasura.url, { query: 'mutation { delete_users_by_pk(id: 2) { id } }' }, { authorization: `Bearer ${token}` })
  t.equal(answer.text, errorText('validation-failed', 'no mutations exist'))
})
