// --doctor: every broken set-up gets a line that says what to do; no output shows a token or a secret.
import t from 'tap'
import type { Findings } from '../../src/commands/check.ts'
import { runDoctor } from '../../src/commands/doctor.ts'
import { loadSettings } from '../../src/settings.ts'
import { type Answer, sendJson, startFakeServer } from '../support/fake-server.ts'
import { environmentFor, givesData, givesTokens, tokenNumber } from '../support/gateway.ts'

const REFUSED = (code: string, message: string) => JSON.stringify({ errors: [{ extensions: { path: '$', code }, message }] })
const answers =
  (body: unknown, status = 200): Answer =>
  response =>
    sendJson(response, body, status)
const givesJwt: Answer = response => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  sendJson(response, { access_token: `${part({})}.${part({ client_id: 'x' })}.c2ln`, expires_in: 3600, token_type: 'Bearer' })
}

type SetUp = {
  title: string
  cognito?: Answer
  hasura?: Answer
  settings?: Record<string, string>
  expected: RegExp[]
  /** How many requests reach Cognito and Hasura; default 1 and 1. */
  asked?: [cognito: number, hasura: number]
}

const NOBODY = 'http://127.0.0.1:1'
const SET_UPS: SetUp[] = [
  {
    title: 'Cognito is not there',
    settings: { AWS_COGNITO_DOMAIN: NOBODY },
    expected: [/^Cognito +FAILED +unreachable: .*check AWS_COGNITO_DOMAIN.*\(ECONNREFUSED\)/m, /^Hasura +skipped/m],
    asked: [0, 0]
  },
  {
    title: 'a wrong secret',
    cognito: answers({ error: 'invalid_client' }, 400),
    expected: [/^Cognito +FAILED +invalid_client: .*check AWS_COGNITO_APP_CLIENT_ID/m],
    asked: [1, 0]
  },
  {
    title: 'a scope that is not enabled',
    cognito: answers({ error: 'invalid_scope' }, 400),
    expected: [/^Cognito +FAILED +invalid_scope: .*AWS_COGNITO_SCOPES/m],
    asked: [1, 0]
  },
  {
    title: 'Hasura is not there',
    settings: { GRAPHQL_ENDPOINT: `${NOBODY}/v1/graphql` },
    expected: [/^Cognito +ok/m, /^Hasura +FAILED .*\(ECONNREFUSED\): check GRAPHQL_ENDPOINT/m],
    asked: [1, 0]
  },
  {
    title: 'a wrong path at Hasura',
    hasura: answers({ error: 'resource does not exist', path: '$', code: 'not-found' }, 404),
    expected: [/^Hasura +FAILED +status 404 without data \(not-found\): check that GRAPHQL_ENDPOINT/m]
  },
  {
    title: 'a page instead of Hasura',
    hasura: response => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    expected: [/^Hasura +FAILED .*no proxy answers in its place/m]
  },
  {
    title: 'a token without claims',
    cognito: givesJwt,
    hasura: answers(REFUSED('jwt-invalid-claims', "claims key: 'https://hasura.io/jwt/claims' not found")),
    expected: [/^Hasura +FAILED .*claims key.*check Hasura's JWT settings/m, /note +The token has no Hasura claims.*claims_map/]
  },
  {
    title: 'a header that Hasura does not read the token from',
    cognito: givesJwt,
    hasura: answers(REFUSED('invalid-headers', "Missing 'Authorization' header")),
    expected: [/^Hasura +FAILED .*GRAPHQL_TOKEN_HEADER\.$(?![\s\S]*no Hasura claims)/m]
  },
  {
    title: 'a role without rights',
    hasura: answers(REFUSED('access-denied', 'no')),
    expected: [/^Hasura +FAILED +status 200 without data \(access-denied\): .*role/m]
  },
  {
    title: 'a database that is down behind Hasura',
    hasura: answers({ error: 'x' }, 500),
    expected: [/^Hasura +FAILED +Hasura answered with status 500/m]
  },
  {
    title: 'Hasura that never answers',
    hasura: () => {},
    settings: { GRAPHQL_TIMEOUT_MS: '300' },
    expected: [/^Hasura +FAILED +Hasura did not answer in time: check the load/m]
  }
]

const FINE = { settingProblems: [], operationProblems: [], warnings: [], operationCount: 0 }

async function examine(cognito: Answer, hasura: Answer, overrides: Record<string, string> = {}, findings: Partial<Findings> = {}) {
  const fakes = await Promise.all([startFakeServer(cognito), startFakeServer(hasura)])
  const settings = await loadSettings(environmentFor(fakes[0].url, fakes[1].url, overrides))
  const lines: string[] = []
  const isWell = await runDoctor({ ...FINE, settings, ...findings }, line => void lines.push(line))
  await Promise.all(fakes.map(fake => fake.close()))
  return { isWell, output: lines.join('\n'), received: fakes.map(({ received }) => received) }
}

for (const { title, cognito = givesTokens, hasura = givesData, settings, expected, asked = [1, 1] } of SET_UPS) {
  t.test(title, async t => {
    const { isWell, output, received } = await examine(cognito, hasura, settings)
    t.notOk(isWell)
    for (const line of expected) t.match(output, line)
    t.strictSame(
      received.map(({ length }) => length),
      asked
    )
    t.notMatch(output, /client-secret|payload-1|c2ln| {2}at /, 'no token, no secret, no stack')
  })
}

t.test('with invalid settings, neither Cognito nor Hasura is called', async t => {
  const findings = { settings: undefined, settingProblems: ['PORT: must be', 'HOST: must be'] }
  const { isWell, output, received } = await examine(givesTokens, givesData, {}, findings)
  t.notOk(isWell)
  t.match(output, /^settings +FAILED +PORT: must be\n +FAILED +HOST: must be\n.*\nCognito +skipped.*\nHasura +skipped/)
  t.strictSame(received, [[], []])
})

t.test('with invalid stored operations, the other steps run, and the exit code is 1', async t => {
  const { isWell, output } = await examine(givesTokens, givesData, {}, { operationProblems: ['a.graphql:1: Syntax Error'] })
  t.notOk(isWell)
  t.match(output, /^stored operations +FAILED +a\.graphql:1: Syntax Error\nCognito +ok.*\nHasura +ok/m)
})

t.test('if everything works, there is a line for each step', async t => {
  const { isWell, output, received } = await examine(givesTokens, givesData)
  t.ok(isWell)
  t.equal(
    output,
    [
      'settings          ok',
      'stored operations ok      0',
      'Cognito           ok      a token that is valid for 3600 s',
      'Hasura            ok      answers { __typename }'
    ].join('\n')
  )
  t.match(received[1], [{ body: '{"query":"{ __typename }"}', headers: { authorization: `Bearer ${tokenNumber(1)}` } }])
})
