// Reading a token from an answer, and the boundaries of its life.
import t from 'tap'
import { createAccessToken, readApiToken, readOauthToken, zoneOf } from '../../src/cognito/access-token.ts'

const GOOD = { access_token: 'eyJ.a.b', token_type: 'Bearer', expires_in: 3600 }

for (const [title, body] of Object.entries({
  'no object': 'token',
  null: null,
  'an array': [],
  'no access_token': { ...GOOD, access_token: undefined },
  'an empty access_token': { ...GOOD, access_token: '' },
  'an access_token that is no string': { ...GOOD, access_token: 7 },
  'an access_token that would break a header': { ...GOOD, access_token: 'a\r\nx: y' },
  'no token_type': { ...GOOD, token_type: undefined },
  'another token_type': { ...GOOD, token_type: 'mac' },
  'no expires_in': { ...GOOD, expires_in: undefined },
  'an expires_in of 0': { ...GOOD, expires_in: 0 },
  'a negative expires_in': { ...GOOD, expires_in: -1 },
  'an expires_in of "0"': { ...GOOD, expires_in: '0' },
  'an empty expires_in': { ...GOOD, expires_in: '' },
  'an expires_in in words': { ...GOOD, expires_in: 'an hour' },
  'an expires_in of null': { ...GOOD, expires_in: null },
  'an expires_in beyond all numbers': { ...GOOD, expires_in: 1e308 }
}))
  t.test(`an answer with ${title} is not a token`, async t => {
    t.equal(readOauthToken(body), undefined)
  })

for (const [title, body, expiresInSeconds] of [
  ['a number', GOOD, 3600],
  ['a numeric string', { ...GOOD, expires_in: '3600' }, 3600],
  ['a numeric string with white space', { ...GOOD, expires_in: ' 300 ' }, 300],
  ['a fraction', { ...GOOD, expires_in: 0.5 }, 0.5]
] as const)
  t.test(`an expires_in that is ${title} is read`, async t => {
    t.strictSame(readOauthToken(body), { accessToken: 'eyJ.a.b', expiresInSeconds })
  })

for (const type of ['Bearer', 'bearer', 'BEARER'])
  t.test(`a token_type of ${type} is read`, async t => {
    t.equal(readOauthToken({ ...GOOD, token_type: type })?.accessToken, 'eyJ.a.b')
  })

t.test('a token from the API has other member names, and the same rules', async t => {
  const good = { AccessToken: 'eyJ.a.b', TokenType: 'Bearer', ExpiresIn: 3600 }
  t.strictSame(readApiToken({ ClientAuthenticationResult: good }), { accessToken: 'eyJ.a.b', expiresInSeconds: 3600 })
  for (const body of [
    undefined,
    good,
    GOOD,
    { ClientAuthenticationResult: GOOD },
    { ClientAuthenticationResult: null },
    { ClientAuthenticationResult: { ...good, ExpiresIn: 0 } },
    { ClientAuthenticationResult: { ...good, TokenType: 'mac' } },
    { ClientAuthenticationResult: { ...good, AccessToken: '' } }
  ])
    t.equal(readApiToken(body), undefined)
})

// [lifetime in s, random, start of stale in ms, start of unusable in ms]
for (const [lifetimeSeconds, random, staleAtMs, unusableAtMs] of [
  [4, 0.5, 3_000, 3_920],
  [300, 0, 210_000, 294_000],
  [300, 0.5, 225_000, 294_000],
  [300, 1, 240_000, 294_000],
  [500, 0.5, 375_000, 490_000],
  [600, 0.5, 450_000, 590_000],
  [3_600, 0, 2_520_000, 3_590_000],
  [3_600, 0.5, 2_700_000, 3_590_000],
  [3_600, 1, 2_880_000, 3_590_000],
  [86_400, 0.5, 64_800_000, 86_390_000]
] as const)
  t.test(
    `a token of ${lifetimeSeconds} s with random ${random} is stale from ${staleAtMs} ms and unusable from ${unusableAtMs} ms`,
    async t => {
      const requestedAtMs = 1_000
      const token = createAccessToken({ accessToken: 'x', expiresInSeconds: lifetimeSeconds }, requestedAtMs, random)
      const zoneAt = (ageMs: number) => zoneOf(token, requestedAtMs + ageMs)
      t.equal(zoneAt(0), 'fresh')
      t.equal(zoneAt(staleAtMs - 1), 'fresh')
      t.equal(zoneAt(staleAtMs + 0.001), 'stale')
      t.equal(zoneAt(unusableAtMs - 1), 'stale')
      t.equal(zoneAt(unusableAtMs), 'unusable')
      t.equal(zoneAt(lifetimeSeconds * 1000 + 1), 'unusable')
      t.ok(Math.abs(token.refreshAtMs - requestedAtMs - staleAtMs) < 0.001)
      t.equal(token.expiresAtMs, requestedAtMs + lifetimeSeconds * 1000)
    }
  )
