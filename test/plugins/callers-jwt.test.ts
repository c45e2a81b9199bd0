// Callers with JWTs against the whole service in its own process, with the issuer's keys over TLS.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { keysFile, sha256 } from '../support/caller-keys.ts'
import { freePort } from '../support/free-port.ts'
import { codeOf, givesData } from '../support/gateway.ts'
import { serviceFor } from '../support/service-process.ts'

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'the openssl command is not on this machine'
const ISSUER = 'https://issuer.example.com'
const KEY = 'the-key-of-a-caller'
const folder = t.testdir({ trusted: {}, other: {} })
const now = () => Math.floor(Date.now() / 1000)

const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
const next = await generateKeyPair('RS256', { extractable: true })
const jwkOf = async (key: CryptoKey, kid: string) => ({ ...(await exportJWK(key)), kid, use: 'sig', alg: 'RS256' })
const first = await jwkOf(publicKey, 'k1')
const second = await jwkOf(next.publicKey, 'k2')

const CLAIMS = { iss: ISSUER, aud: 'graphql', sub: 'caller-1', client_id: 'app-1' }
const sign = (claims: JWTPayload = CLAIMS, { kid = 'k1', key = privateKey, expiresIn = 300 } = {}) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid })
    .setIssuedAt(now() - 400)
    .setExpirationTime(now() + expiresIn)
    .sign(key)

/** A self-signed certificate for 127.0.0.1. */
function makeCertificate(name: string) {
  const [key, cert] = [join(folder, name, 'key.pem'), join(folder, name, 'cert.pem')]
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const { status, stderr } = spawnSync('openssl', [
    ...request,
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]
  ])
  if (status !== 0) throw new Error(String(stderr))
  return { path: cert, key: readFileSync(key), cert: readFileSync(cert) }
}

const trusted = skip ? undefined : makeCertificate('trusted')

/** The issuer's keys over TLS, optionally on a given port, to start where the service expects them. */
async function startJwks({ port = 0, certificate = trusted } = {}) {
  const keys = { current: [first] }
  const answer: { current?: { status: number; body: string } } = {}
  let fetches = 0
  const server = createServer({ key: certificate?.key, cert: certificate?.cert }, (_, response) => {
    fetches += 1
    response.statusCode = answer.current?.status ?? 200
    response.setHeader('content-type', 'application/json').end(answer.current?.body ?? JSON.stringify({ keys: keys.current }))
    server.emit('fetched')
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    keys,
    answer,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    fetches: () => fetches,
    async hasBeenAsked() {
      if (fetches === 0) await once(server, 'fetched')
    },
    close() {
      server.close()
      server.closeAllConnections()
    }
  }
}

/** The service as a process that trusts the certificate, in front of fakes; `settings` override the rest. */
async function startFor(t: Test, jwksUrl: string, settings: Record<string, string> = {}) {
  const environment = {
    CALLER_AUTH: 'jwt',
    CALLER_JWT_ISSUER: ISSUER,
    CALLER_JWT_AUDIENCE: 'graphql',
    CALLER_JWT_JWKS_URL: jwksUrl,
    NODE_EXTRA_CA_CERTS: trusted?.path ?? '',
    LOG_LEVEL: 'trace',
    ...settings
  }
  const { url, post, hasura, output, hasWritten } = await serviceFor(t, environment, givesData, folder)
  await hasWritten('token renewed')
  return {
    hasura,
    post,
    bearer: (token: string) => post({ authorization: `Bearer ${token}` }),
    async readiness() {
      const answer = await fetch(`${url}/health/ready`)
      return (await answer.json()) as { status: string; reasons: string[] }
    },
    output,
    hasWritten
  }
}

/** The log lines of refused callers. */
const refusalsIn = (output: string) =>
  output
    .split('\n')
    .filter(line => line.includes('"msg":"request"') && line.includes('"reason"'))
    .map(line => JSON.parse(line))

async function started(t: Test, settings: Record<string, string> = {}) {
  const jwks = await startJwks()
  t.teardown(() => jwks.close())
  return { jwks, ...(await startFor(t, jwks.url, settings)) }
}

t.test('invalid tokens get 401, Hasura receives nothing, and the log shows none of them', { skip }, async t => {
  const { bearer, post, hasura, output, hasWritten, jwks } = await started(t)
  await jwks.hasBeenAsked()
  const [header = '', payload = '', signature = ''] = (await sign()).split('.')
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hs256 = (secret: string) =>
    new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setExpirationTime(now() + 300)
      .sign(new TextEncoder().encode(secret))
  const tokens: [string, string][] = [
    ['no JWT', 'x.y.z'],
    ['expired', await sign(CLAIMS, { expiresIn: -60 })],
    ['another issuer', await sign({ ...CLAIMS, iss: 'https://other.example.com' })],
    ['another audience', await sign({ ...CLAIMS, aud: 'other' })],
    ['no audience', await sign({ iss: ISSUER, sub: 'caller-1' })],
    ['not valid yet', await sign({ ...CLAIMS, nbf: now() + 3600 })],
    ['alg none', `${part({ alg: 'none', kid: 'k1' })}.${payload}.`],
    ['alg none, signature kept', `${part({ alg: 'none', kid: 'k1' })}.${payload}.${signature}`],
    ['HS256 with the public key as PEM', await hs256(await exportSPKI(publicKey))],
    ['HS256 with the public key as JWK', await hs256(JSON.stringify(first))],
    ['HS256 with the modulus', await hs256(String(first.n))],
    ['a key of its own in the header', await signedWithOwnKey()],
    ["a stranger's key under a known kid", await sign(CLAIMS, { key: next.privateKey })],
    ['another payload', `${header}.${part({ ...CLAIMS, sub: 'admin', exp: now() + 300 })}.${signature}`],
    ['nobody', await sign({ iss: ISSUER, aud: 'graphql' })]
  ]
  for (const [title, token] of tokens) {
    const answer = await bearer(token)
    t.equal(answer.status, 401, title)
    t.equal(answer.headers.get('www-authenticate'), 'Bearer realm="graphql", error="invalid_token"', title)
    t.equal(await codeOf(answer), 'UNAUTHENTICATED', title)
    t.notMatch(output(), token, title)
  }
  await hasWritten('neither client_id nor sub')
  t.match(
    refusalsIn(output()).map(({ reason }) => reason),
    [
      /neither .* nor a JWT/,
      /expired/,
      /issuer/,
      /audience/,
      /audience/,
      /not valid yet/,
      /neither .* nor a JWT/,
      /algorithm/,
      /algorithm/,
      /algorithm/,
      /algorithm/,
      /signature is invalid/,
      /signature is invalid/,
      /signature is invalid/,
      /neither client_id nor sub/
    ]
  )
  t.ok(refusalsIn(output()).every(({ level, address }) => level === 30 && address === '127.0.0.1'))
  t.equal((await post({ 'x-api-key': await sign() })).status, 401, 'a good token in the header of keys')
  t.equal((await post({ cookie: `token=${await sign()}` })).status, 401, 'a good token in a cookie')
  t.equal((await post({})).headers.get('www-authenticate'), 'Bearer realm="graphql"')
  t.equal(hasura.received.length, 0)
})

/** A token whose header contains the key that verifies it. */
async function signedWithOwnKey() {
  const jwk = await exportJWK(next.publicKey)
  return new SignJWT(CLAIMS)
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', jwk })
    .setExpirationTime(now() + 300)
    .sign(next.privateKey)
}

t.test('during a flood of unknown keys, the keys are fetched a few times, and valid tokens pass', { skip }, async t => {
  const { bearer, jwks } = await started(t)
  const flood = await Promise.all(Array.from({ length: 200 }, async (_, n) => bearer(await sign(CLAIMS, { kid: `unknown-${n}` }))))
  t.ok(flood.every(({ status }) => status === 401))
  t.ok(jwks.fetches() <= 3, `${jwks.fetches()} fetches`)
  t.equal((await bearer(await sign())).status, 200)
})

t.test(
  'while the keys cannot be fetched, tokens get 503 and readiness says why; they pass once the keys are available',
  { skip },
  async t => {
    const port = await freePort()
    const { bearer, post, hasura, hasWritten, output, readiness } = await startFor(t, `https://127.0.0.1:${port}/jwks.json`)
    await hasWritten('could not be fetched')
    const answer = await bearer(await sign())
    t.equal(answer.status, 503)
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
    t.equal(await codeOf(answer), 'CALLER_KEYS_UNAVAILABLE')
    t.match(await readiness(), { status: 'ready', reasons: [/CALLER_KEYS_UNAVAILABLE.*ECONNREFUSED/] })
    await hasWritten('"code":"CALLER_KEYS_UNAVAILABLE"')
    t.match(refusalsIn(output()), [{ code: 'CALLER_KEYS_UNAVAILABLE', reason: "the issuer's keys cannot be fetched", level: 30 }])
    t.equal((await post({})).status, 401)
    t.equal((await bearer('no JWT')).status, 401)
    t.equal((await bearer(await sign({ ...CLAIMS, iss: 'https://other.example.com' }))).status, 401, 'these need no key')
    t.equal(hasura.received.length, 0)
    const jwks = await startJwks({ port })
    t.teardown(() => jwks.close())
    t.equal((await bearer(await sign())).status, 200)
    t.strictSame((await readiness()).reasons, [])
  }
)

t.test('a JWKS answer without keys, or an error, is 503, and none of it is shown', { skip }, async t => {
  const jwks = await startJwks()
  t.teardown(() => jwks.close())
  jwks.answer.current = { status: 200, body: '<html>s3cret' }
  const { bearer, hasWritten, output, readiness } = await startFor(t, jwks.url)
  await hasWritten('could not be fetched')
  t.equal((await bearer(await sign())).status, 503)
  t.match(await readiness(), { reasons: [/not a JSON Web Key Set/] })
  jwks.answer.current = { status: 500, body: 's3cret' }
  t.equal((await bearer(await sign())).status, 503)
  t.match(await readiness(), { reasons: [/Status code is 500/] })
  t.notMatch(output(), 's3cret')
})

t.test('cached keys still work while they cannot be fetched again', { skip }, async t => {
  const { bearer, jwks } = await started(t)
  t.equal((await bearer(await sign())).status, 200)
  jwks.answer.current = { status: 500, body: '' }
  t.equal((await bearer(await sign(CLAIMS, { kid: 'k2', key: next.privateKey }))).status, 503)
  t.equal((await bearer(await sign(CLAIMS, { expiresIn: 301 }))).status, 200)
})

t.test('a token without a required scope gets 403 that names the scopes', { skip }, async t => {
  const { bearer, hasura, output, hasWritten } = await started(t, { CALLER_JWT_SCOPES: 'graphql/read graphql/write' })
  for (const scope of [undefined, '', 'graphql/reader other']) {
    const answer = await bearer(await sign({ ...CLAIMS, ...(scope !== undefined && { scope }) }))
    t.equal(answer.status, 403)
    t.equal(
      answer.headers.get('www-authenticate'),
      'Bearer realm="graphql", error="insufficient_scope", scope="graphql/read graphql/write"'
    )
    t.equal(await codeOf(answer), 'OPERATION_NOT_ALLOWED')
  }
  t.equal(hasura.received.length, 0)
  t.equal((await bearer(await sign({ ...CLAIMS, scope: 'other graphql/write' }))).status, 200)
  await hasWritten('"status":200')
  t.match(refusalsIn(output()), Array(3).fill({ code: 'OPERATION_NOT_ALLOWED', reason: /scope/ }))
})

t.test('a pool with the newer kind of issuer, and one in another partition, are accepted', { skip }, async t => {
  const jwks = await startJwks()
  t.teardown(() => jwks.close())
  for (const iss of [
    'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc123',
    'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_abc123'
  ]) {
    // The real pool's keys are not reachable here.
    const { bearer, output, hasWritten } = await startFor(t, jwks.url, { CALLER_JWT_ISSUER: iss, CALLER_JWT_AUDIENCE: '' })
    const claims = { iss, client_id: 'app-1', sub: 'app-1', token_use: 'access' }
    t.equal((await bearer(await sign({ ...claims, token_use: 'id' }))).status, 401, iss)
    t.equal((await bearer(await sign({ ...claims, iss: iss.replace(/\d$/, '4') }))).status, 401, iss)
    t.equal((await bearer(await sign(claims))).status, 200, iss)
    await hasWritten('"status":200')
    t.match(refusalsIn(output()), [{ reason: 'the token is not an access token' }, { reason: /is not CALLER_JWT_ISSUER/ }])
  }
})

t.test('keys from a server with an untrusted certificate are not accepted', { skip }, async t => {
  const jwks = await startJwks({ certificate: makeCertificate('other') })
  t.teardown(() => jwks.close())
  const { bearer, hasWritten } = await startFor(t, jwks.url)
  await hasWritten('could not be fetched')
  t.equal((await bearer(await sign())).status, 503)
  t.equal(jwks.fetches(), 0)
})

t.test('a valid token passes, names its caller in the log, and is not forwarded to Hasura', { skip }, async t => {
  const { bearer, hasura, hasWritten } = await started(t)
  const token = await sign()
  const answer = await bearer(token)
  t.equal(answer.status, 200)
  t.same(await answer.json(), { data: { users: [{ id: 1 }] } })
  t.equal(hasura.received.length, 1)
  t.notMatch(JSON.stringify(hasura.received), token)
  t.match(hasura.received[0]?.headers.authorization, /^Bearer header\.payload-1\.signature$/)
  await hasWritten('"caller":"app-1"')
})

t.test('a new key is fetched when the first token signed with it arrives', { skip }, async t => {
  const { bearer, jwks } = await started(t)
  await jwks.hasBeenAsked()
  t.equal((await bearer(await sign())).status, 200)
  jwks.keys.current = [first, second]
  t.equal((await bearer(await sign(CLAIMS, { kid: 'k2', key: next.privateKey }))).status, 200)
  jwks.keys.current = [second]
  t.equal((await bearer(await sign(CLAIMS, { kid: 'k2', key: next.privateKey, expiresIn: 301 }))).status, 200)
  t.equal(jwks.fetches(), 2)
})

t.test('with keys and tokens both enabled, each is checked by its own rules', { skip }, async t => {
  const path = join(folder, 'callers.json')
  writeFileSync(path, keysFile({ web: { keySha256: [sha256(KEY)] } }))
  const { bearer, post, hasura } = await started(t, { CALLER_AUTH: 'api-key,jwt', CALLER_KEYS_FILE: path })
  t.equal((await bearer('neither')).status, 401)
  t.equal((await bearer(await sign(CLAIMS, { expiresIn: -60 }))).status, 401)
  t.equal((await post({ 'x-api-key': await sign() })).status, 401)
  t.equal(
    (await post({ 'x-api-key': 'wrong', authorization: `Bearer ${await sign()}` })).status,
    401,
    'a wrong key is not made good by a token'
  )
  t.equal(hasura.received.length, 0)
  t.equal((await bearer(await sign())).status, 200)
  t.equal((await bearer(KEY)).status, 200)
  t.equal((await post({ 'x-api-key': KEY })).status, 200)
  t.notMatch(JSON.stringify(hasura.received), KEY)
})
