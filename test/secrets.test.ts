// Whatever fails, and whatever its peers echo, the service never writes a secret, token or credential.
// An answer that is passed on byte for byte contains whatever Hasura wrote; such answers are not checked here.
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keysFile, sha256 } from './support/caller-keys.ts'
import { type Answer, sendJson } from './support/fake-server.ts'
import { type GatewayOptions, startGateway } from './support/gateway.ts'
import { RawClient } from './support/raw-client.ts'
import { watchLog } from './support/watch-log.ts'

const jwt = (payload: object, signature: string) =>
  `${[{ alg: 'RS256', kid: 'k1' }, payload].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.${signature}`

const SECRET = '1hf0clientsecretofthetest+/%7q'
const FALLBACK = '2hf0fallbacksecretofthetest+/%7q'
const TOKEN = jwt({ 'x-hasura-default-role': 'service', sub: 'the-service' }, 'signature-of-the-service-token')
const KEY = 'the-right-key-of-a-caller'
const WRONG_KEY = 'the-wrong-key-of-a-caller'
const CALLER_TOKEN = jwt({ iss: 'https://issuer.example.com', sub: 'a-caller', exp: 4_000_000_000 }, 'signature-of-the-token-of-a-caller')

/** Each secret, and each part of a token except its header. */
const NOT_TO_BE_SEEN = [SECRET, FALLBACK, KEY, WRONG_KEY, ...[TOKEN, CALLER_TOKEN].flatMap(token => token.split('.').slice(1))].flatMap(
  text => [text, encodeURIComponent(text), Buffer.from(text).toString('base64')]
)

/** Writes raw bytes instead of an answer. */
const writeRaw = (response: ServerResponse, bytes: string) => void response.socket?.end(bytes)

/** A watched gateway: everything that it writes itself ends up in `written`. */
async function watched(t: Test, options: GatewayOptions) {
  const { logger, lines: written, logged } = watchLog('trace')
  const gateway = await startGateway({
    ...options,
    logger,
    settings: {
      AWS_COGNITO_APP_CLIENT_SECRET: SECRET,
      AWS_COGNITO_APP_CLIENT_SECRET_FALLBACK: FALLBACK,
      GRAPHQL_TIMEOUT_MS: '3000',
      ...options.settings
    }
  })
  let isClosed = false
  const close = async () => {
    if (!isClosed) await gateway.close()
    isClosed = true
  }
  t.teardown(close)
  /** Sends a request, and records the answer with its headers. */
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(gateway.url + path, init)
    const body = await answer.text()
    written.push(JSON.stringify([...answer.headers]), body)
    return { status: answer.status, body }
  }
  return {
    ...gateway,
    logged,
    ask,
    /** Checks that nothing written, including metrics and readiness, contains what must stay secret. */
    async assertClean(title: string) {
      await ask('/health/ready')
      written.push(await gateway.app.metrics.registry.metrics())
      await close()
      t.ok(written.length > 4, `${title}: something was written`)
      for (const text of NOT_TO_BE_SEEN)
        t.notOk(
          written.find(line => line.includes(text)),
          `${title}: ${text.slice(0, 20)}`
        )
    }
  }
}

const post = (headers: Record<string, string> = {}, body = '{"query":"{ a }"}') => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body
})

const token = { access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' }
const HTTP = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const COGNITO: [string, Answer][] = [
  ['the form and a token as HTML', (response, { body }) => void response.end(`<html>${body} ${TOKEN}`)],
  [
    'invalid_client with the form in its description',
    (response, { body }) => sendJson(response, { error: 'invalid_client', error_description: body }, 400)
  ],
  [
    'an error that is the secret',
    (response, { body }) => sendJson(response, { error: new URLSearchParams(body).get('client_secret') }, 400)
  ],
  ['500 with both', (response, { body }) => void response.writeHead(500).end(body + TOKEN)],
  ['a token of another type', response => sendJson(response, { ...token, token_type: 'MAC' })],
  ['a token without an end', response => sendJson(response, { ...token, expires_in: 0 })],
  ['a token that no header can carry', response => sendJson(response, { ...token, access_token: `${TOKEN}\n` })],
  ['JSON that breaks off within the token', response => sendJson(response, JSON.stringify(token).slice(0, -60))],
  [
    'a redirect that carries both',
    (response, { body }) => void response.writeHead(302, { location: `http://127.0.0.1:1/?${body}&${TOKEN}` }).end()
  ],
  [
    'headers that carry both',
    (response, { body }) =>
      sendJson(response, {}, 429, {
        'retry-after': body,
        date: TOKEN,
        'x-amz-cognito-request-id': new URLSearchParams(body).get('client_secret') ?? ''
      })
  ],
  ['no HTTP', (response, { body }) => writeRaw(response, `${TOKEN} ${body}\r\n\r\n`)],
  ['a malformed header', (response, { body }) => writeRaw(response, `${HTTP}${TOKEN}\x00${body}\r\n\r\n`)],
  [
    'malformed chunks',
    (response, { body }) => writeRaw(response, `${HTTP}transfer-encoding: chunked\r\n\r\n5\r\n{"acc\r\nZ${TOKEN}${body}\r\n`)
  ],
  [
    'less than the length says',
    (response, { body }) => writeRaw(response, `${HTTP}content-length: 9999\r\n\r\n${JSON.stringify(token)}${body}`)
  ],
  ['a head beyond all bounds', (response, { body }) => writeRaw(response, `${HTTP}${`x-echo: ${body}${TOKEN}\r\n`.repeat(200)}`)],
  ['a broken connection', response => void response.destroy()]
]

for (const [title, cognito] of COGNITO) {
  t.test(`Cognito answers with ${title}`, async t => {
    const { logged, ask, assertClean, hasura } = await watched(t, { cognito, isReady: false })
    await logged('no token from Cognito')
    t.match(await ask('/execute-graphql', post()), { status: 503, body: /TOKEN_UNAVAILABLE/ })
    t.equal(hasura.received.length, 0)
    await assertClean(title)
  })
}

const givesToken: Answer = response => sendJson(response, token)
const echo = (authorization = '') => `${authorization} ${TOKEN}`
const refusal = (code: string, message: string) => ({ errors: [{ extensions: { path: '$', code }, message }] })
const HASURA: [string, number, Answer][] = [
  [
    'a refusal that shows the token',
    502,
    (response, { headers }) => sendJson(response, refusal('invalid-jwt', `Could not verify JWT: ${echo(headers.authorization)}`))
  ],
  [
    'a refusal with the token at its cut',
    502,
    response => sendJson(response, refusal('jwt-invalid-claims', `${'x'.repeat(190 - TOKEN.length / 2)} ${TOKEN}`))
  ],
  [
    'a refusal of DDN that shows the token',
    502,
    response => sendJson(response, { errors: [{ message: `JWT validation error: ${TOKEN}` }] }, 400)
  ],
  [
    '401 of a proxy that shows the token',
    502,
    (response, { headers }) => void response.writeHead(401, { 'www-authenticate': TOKEN }).end(echo(headers.authorization))
  ],
  [
    'HTML that shows the token',
    502,
    response => void response.writeHead(500, { 'content-type': 'text/html', 'x-echo': TOKEN }).end(`<html>${TOKEN}`)
  ],
  ['text that says it is JSON', 502, response => sendJson(response, TOKEN)],
  ['no HTTP', 502, response => writeRaw(response, `${TOKEN}\r\n\r\n`)],
  ['a malformed header', 502, response => writeRaw(response, `${HTTP}x-echo: ${TOKEN}\x00\r\n\r\n`)],
  ['malformed chunks', 502, response => writeRaw(response, `${HTTP}transfer-encoding: chunked\r\n\r\n5\r\n{"acc\r\nZ${TOKEN}\r\n`)],
  ['a head beyond all bounds', 502, response => writeRaw(response, `${HTTP}${`x-echo: ${TOKEN}\r\n`.repeat(300)}`)],
  ['an answer that breaks off', 502, response => writeRaw(response, `${HTTP}content-length: 9999\r\n\r\n{"data":"${TOKEN}`)],
  ['a broken connection', 502, response => void response.destroy()],
  ['silence', 504, () => {}],
  ['a drip of the token', 504, response => void response.writeHead(200, { 'content-type': 'application/json' }).write(`{"${TOKEN}`)]
]

t.test('Hasura echoes the token in every kind of answer that is not passed on', async t => {
  for (const [title, status, hasura] of HASURA) {
    const { ask, assertClean } = await watched(t, { cognito: givesToken, hasura })
    t.equal((await ask('/execute-graphql', post())).status, status, title)
    t.equal((await ask('/execute-graphql', post({}, '{"query":"mutation { a }"}'))).status, status, title)
    await assertClean(title)
  }
})

t.test('credentials of callers: valid, wrong, repeated, misplaced, in a malformed request', async t => {
  const path = join(t.testdir(), 'callers.json')
  writeFileSync(path, keysFile({ web: { keySha256: [sha256(KEY)] } }))
  const settings = {
    CALLER_AUTH: 'api-key,jwt',
    CALLER_KEYS_FILE: path,
    CALLER_JWT_ISSUER: 'https://issuer.example.com',
    CALLER_JWT_JWKS_URL: 'https://127.0.0.1:1/keys',
    CALLER_JWT_AUDIENCE: 'graphql',
    RATE_LIMIT_PER_MINUTE: '1000'
  }
  const { ask, assertClean, url, hasura } = await watched(t, { cognito: givesToken, settings })
  t.equal((await ask('/execute-graphql', post({ 'x-api-key': KEY }))).status, 200)
  t.equal((await ask('/execute-graphql', post({ authorization: `Bearer ${KEY}` }, '{'))).status, 400)
  const refused: Record<string, string>[] = [
    { 'x-api-key': WRONG_KEY },
    { 'x-api-key': `${KEY}, ${WRONG_KEY}` },
    { 'x-api-key': `${KEY} ${KEY}` },
    { authorization: `Bearer ${WRONG_KEY}` },
    { authorization: `Bearer ${CALLER_TOKEN}` },
    { authorization: `Bearer ${CALLER_TOKEN}${KEY}` },
    { authorization: `Basic ${btoa(KEY)}` },
    { authorization: CALLER_TOKEN },
    { cookie: `key=${KEY}; token=${CALLER_TOKEN}` },
    { 'x-request-id': `${KEY}/${WRONG_KEY}` }
  ]
  for (const headers of refused) {
    const isOurIssuers = headers.authorization?.startsWith(`Bearer ${CALLER_TOKEN}`)
    t.equal((await ask('/execute-graphql', post(headers))).status, isOurIssuers ? 503 : 401, 'the keys of the issuer are out of reach')
  }
  for (const path of [
    `/execute-graphql?query={a}&key=${KEY}`,
    `/${KEY}/${CALLER_TOKEN}`,
    `/%zz${KEY}`,
    `/health/live?token=${CALLER_TOKEN}`
  ])
    await ask(path)
  t.equal((await ask('/execute-graphql', post({ 'x-api-key': KEY }, `{"${KEY}":"${CALLER_TOKEN}`))).status, 400)
  t.equal((await ask('/execute-graphql', post({ 'x-api-key': KEY, 'content-type': `text/plain; x=${KEY}` }))).status, 415)
  t.equal((await ask('/execute-graphql', post({ 'x-api-key': KEY, accept: `text/${KEY}` }))).status, 406)
  t.equal((await ask('/execute-graphql', post({ 'x-api-key': KEY, 'x-hasura-role': KEY }))).status, 403)
  for (const bytes of [
    `GET / HTTP/1.1\r\nx-api-key ${KEY}\r\n\r\n`,
    `${KEY}\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: ${CALLER_TOKEN.repeat(200)}\r\n\r\n`
  ]) {
    const answer = await new RawClient(url).send(bytes)
    t.equal(answer?.status, 400)
    t.notMatch(JSON.stringify([...(answer?.headers ?? []), answer?.body]), new RegExp(`${KEY}|${CALLER_TOKEN}`))
  }
  t.notMatch(JSON.stringify(hasura.received), new RegExp(`${KEY}|${WRONG_KEY}|${CALLER_TOKEN}`))
  await assertClean('callers')
})
