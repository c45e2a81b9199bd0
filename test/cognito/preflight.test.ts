// Warnings about a new token, before Hasura refuses it.
import t from 'tap'
import { preflight } from '../../src/cognito/preflight.ts'

const WALL_MS = Date.UTC(2026, 0, 1)
const HASURA = { 'https://hasura.io/jwt/claims': { 'x-hasura-allowed-roles': ['service'], 'x-hasura-default-role': 'service' } }
const LIFE = { iat: 1_000, exp: 4_600 }

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const jwt = (claims: unknown) => `${encode({ alg: 'RS256' })}.${encode(claims)}.c2lnbmF0dXJl`
const dateAt = (offsetMs: number) => new Date(WALL_MS + offsetMs).toUTCString()
const check = (accessToken: string, { expiresInSeconds = 3600, date }: { expiresInSeconds?: number; date?: string } = {}) =>
  preflight({ accessToken, expiresInSeconds, date, cognitoRequestId: undefined }, WALL_MS)

for (const [title, token] of Object.entries({
  'an opaque token': 'opaque',
  'a token of two parts': 'a.b',
  'a token of five parts (JWE)': `${jwt({})}.d.e`,
  'a payload that is not base64url': 'a.!!!.c',
  'a payload that is not JSON': `a.${encode('{')}.c`,
  'a payload that is null': jwt(null),
  'a payload that is a number': jwt(7),
  'a payload that is an array': jwt([]),
  'an empty token': '',
  'dots alone': '..'
}))
  t.test(`no warning for ${title}`, async t => {
    t.strictSame(check(token), [])
  })

t.test('for a token without Hasura claims, the warning contains a suitable claims_map', async t => {
  const [notice, ...others] = check(jwt({ ...LIFE, sub: 'machine', client_id: 'machine', scope: 'hasura/read' }))
  t.match(notice, 'no Hasura claims')
  t.match(
    notice,
    '"claims_map":{"x-hasura-allowed-roles":["service"],"x-hasura-default-role":"service","x-hasura-client-id":{"path":"$.client_id"}}'
  )
  t.strictSame(others, [])
})

t.test('the claims_map names only claims that the token has', async t => {
  const [notice] = check(jwt({ ...LIFE, sub: 'machine' }))
  t.match(notice, '"claims_map":{"x-hasura-allowed-roles":["service"],"x-hasura-default-role":"service"}')
})

t.test('no warning shows the value of a claim', async t => {
  const notices = check(jwt({ iat: 1, exp: 2, client_id: 'hush-1', sub: 'hush-2', secret: 'hush-3', scope: 'hush-4', iss: 'hush-5' }))
  t.equal(notices.length, 2)
  t.notMatch(notices.join(), /hush/)
})

for (const [title, claims] of Object.entries({
  'in the namespace of v2': HASURA,
  'as text in the namespace of v2': { 'https://hasura.io/jwt/claims': JSON.stringify(HASURA['https://hasura.io/jwt/claims']) },
  'in the namespace of DDN': { 'claims.jwt.hasura.io': { 'x-hasura-default-role': 'service', 'x-hasura-allowed-roles': ['service'] } },
  'in a namespace of its own': { app: { hasura: { 'X-Hasura-Allowed-Roles': ['service'] } } },
  'without a namespace': { 'x-hasura-allowed-roles': ['service'] }
}))
  t.test(`Hasura claims ${title} are found`, async t => {
    t.strictSame(check(jwt({ ...LIFE, ...claims })), [])
  })

for (const [exp, expiresInSeconds, isTold] of [
  [4_599, 3_600, true],
  [4_600, 3_600, false],
  [4_601, 3_600, true],
  [4_600, 3_600.9, false],
  [4_600, 86_400, true]
] as const)
  t.test(`a token with iat 1000, exp ${exp} and expires_in ${expiresInSeconds} causes ${isTold ? 'a' : 'no'} warning`, async t => {
    const notices = check(jwt({ ...HASURA, iat: 1_000, exp }), { expiresInSeconds })
    t.equal(notices.length, isTold ? 1 : 0)
    if (isTold) t.match(notices[0], `${exp - 1_000} s according to its exp and iat, but Cognito said expires_in ${expiresInSeconds}`)
  })

for (const [title, claims] of Object.entries({ 'no exp': { iat: 1 }, 'no iat': { exp: 1 }, 'an exp in words': { iat: 1, exp: 'soon' } }))
  t.test(`the lifetime of a token with ${title} is not compared`, async t => {
    t.strictSame(check(jwt({ ...HASURA, ...claims })), [])
  })

for (const [offsetMs, expected] of [
  [-31_000, /more than 30 s ahead of/],
  [-30_000, undefined],
  [0, undefined],
  [30_000, undefined],
  [31_000, /more than 30 s behind/]
] as const)
  t.test(`an answer dated ${offsetMs} ms from this machine's time causes ${expected ? 'a' : 'no'} warning`, async t => {
    const notices = check(jwt({ ...HASURA, ...LIFE }), { date: dateAt(offsetMs) })
    t.equal(notices.length, expected ? 1 : 0)
    if (expected) t.match(notices[0], expected)
  })

t.test('the clock is compared even if the token is not a JWT', async t => {
  t.match(check('opaque', { date: dateAt(60_000) }), [/behind/])
})

for (const date of ['', 'soon', '7'])
  t.test(`the Date "${date}" is ignored`, async t => {
    t.strictSame(check('opaque', { date }), [])
  })

t.test('the same warning has the same text for every token', async t => {
  const first = check(jwt({ jti: 1, iat: 1_000, exp: 1_300 }), { date: dateAt(40_000) })
  const second = check(jwt({ jti: 2, iat: 2_000, exp: 2_300 }), { date: dateAt(50_000) })
  t.equal(first.length, 3)
  t.strictSame(second, first)
})
