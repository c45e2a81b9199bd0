// Callers with JWTs: what a token must contain, and how often keys are fetched.
import type { Jwks } from 'aws-jwt-verify/jwk'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import t from 'tap'
import { IssuerKeys } from '../../src/callers/issuer-keys.ts'
import { CLOCK_TOLERANCE_SECONDS, createJwtCallers, type JwtCallersOptions } from '../../src/callers/jwt-callers.ts'

const POOL = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc123'
const OTHER = 'https://issuer.example.com'
const now = () => Math.floor(Date.now() / 1000)

const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
const stranger = await generateKeyPair('RS256')
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig', alg: 'RS256' }

const ACCESS = { iss: POOL, token_use: 'access', client_id: 'app', sub: 'app', scope: 'graphql/read graphql/write', version: 2 }

const sign = (claims: JWTPayload, { kid = 'k1', key = privateKey, expiresIn = 300 } = {}) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid })
    .setIssuedAt(now() - 10)
    .setExpirationTime(now() + expiresIn)
    .sign(key)

function callersFor(options: Partial<JwtCallersOptions> = {}) {
  const fetched: string[] = []
  const fetcher = {
    async fetch(uri: string) {
      fetched.push(uri)
      return new TextEncoder().encode(JSON.stringify({ keys: [jwk] } as Jwks)).buffer as ArrayBuffer
    }
  }
  const callers = createJwtCallers({ issuer: POOL, clientIds: [], scopes: [], keys: new IssuerKeys(undefined, fetcher), ...options })
  return { callers, fetched }
}

t.test('invalid tokens are refused', async t => {
  const { callers } = callersFor()
  const good = await sign(ACCESS)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const unsigned = Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url')
  const hmac = new SignJWT(ACCESS).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).setExpirationTime(now() + 300)
  const tokens: [string, string][] = [
    ['no JWT', 'x'],
    ['empty parts', '..'],
    ['a signature cut off', `${header}.${payload}.`],
    ['another payload', `${header}.${Buffer.from(JSON.stringify({ ...ACCESS, sub: 'admin' })).toString('base64url')}.${signature}`],
    ['alg none', `${unsigned}.${payload}.`],
    ['HS256 with the public key as its secret', await hmac.sign(new TextEncoder().encode(await exportSPKI(publicKey)))],
    ["a stranger's key under a known kid", await sign(ACCESS, { key: stranger.privateKey })],
    ['an unknown kid', await sign(ACCESS, { kid: 'k2' })],
    ['expired', await sign(ACCESS, { expiresIn: -CLOCK_TOLERANCE_SECONDS - 5 })],
    ['an ID token', await sign({ ...ACCESS, token_use: 'id', aud: 'app' })],
    ['another issuer', await sign({ ...ACCESS, iss: OTHER })],
    ['another pool', await sign({ ...ACCESS, iss: `${POOL}4` })],
    ['nobody', await sign({ iss: POOL, token_use: 'access' })],
    ['no expiry', await new SignJWT(ACCESS).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(privateKey)],
    ['not valid yet', await sign({ ...ACCESS, nbf: now() + 3600 })]
  ]
  for (const [title, token] of tokens) await t.rejects(callers.verify(token), title)
})

t.test('tokens of an issuer other than Cognito must have its audience', async t => {
  const { callers, fetched } = callersFor({ issuer: OTHER, jwksUrl: `${OTHER}/keys`, audience: 'graphql' })
  for (const aud of [undefined, 'other', ['a', 'b']]) {
    await t.rejects(sign({ iss: OTHER, sub: 'u1', ...(aud && { aud }) }).then(callers.verify), `aud ${aud}`)
  }
  await t.rejects(sign({ iss: POOL, sub: 'u1', aud: 'graphql' }).then(callers.verify), 'another issuer')
  t.match(await callers.verify(await sign({ iss: OTHER, sub: 'u1', aud: ['other', 'graphql'] })), { name: 'u1', label: 'jwt' })
  t.strictSame(fetched, [`${OTHER}/keys`])
})

t.test('client IDs and scopes restrict who may call', async t => {
  const { callers } = callersFor({ clientIds: ['app', 'job'], scopes: ['graphql/read'] })
  await t.rejects(sign({ ...ACCESS, client_id: 'other' }).then(callers.verify))
  await t.rejects(sign({ ...ACCESS, scope: 'graphql/readonly' }).then(callers.verify))
  await t.rejects(sign({ ...ACCESS, scope: undefined } as unknown as JWTPayload).then(callers.verify))
  t.match(await callers.verify(await sign(ACCESS)), { name: 'app', label: 'app' })
})

t.test('a flood of unknown keys does not fetch the keys each time', async t => {
  const { callers, fetched } = callersFor()
  for (let n = 0; n < 100; n++) await t.rejects(sign(ACCESS, { kid: `unknown-${n}` }).then(callers.verify))
  t.ok(fetched.length <= 2, `${fetched.length} fetches`)
  t.match(await callers.verify(await sign(ACCESS)), { name: 'app', expiresAtSeconds: Number }, 'good tokens are verified meanwhile')
})

t.test('prefetched keys are not fetched again', async t => {
  const { callers, fetched } = callersFor()
  await callers.hydrate()
  t.ok(fetched.includes(`${POOL}/.well-known/jwks.json`))
  const ahead = fetched.length
  const token = await sign(ACCESS)
  for (let n = 0; n < 10; n++) await callers.verify(token)
  t.equal(fetched.length, ahead)
})

t.test('a verified token still expires', async t => {
  const { callers } = callersFor()
  const token = await sign(ACCESS, { expiresIn: 60 })
  await callers.verify(token)
  const realNow = Date.now
  t.teardown(() => {
    Date.now = realNow
  })
  Date.now = () => realNow() + (60 + CLOCK_TOLERANCE_SECONDS + 1) * 1000
  await t.rejects(callers.verify(token))
})
