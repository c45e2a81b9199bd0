// Which answers refuse the token, and whether a new one would help.
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { readRefusal } from '../../src/hasura/token-rejection.ts'

const v2 = (code: string, message: string, path = '$') => ({ errors: [{ extensions: { path, code }, message }] })
const read = (body: unknown, status = 200, encoding?: string) => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return readRefusal(status, encoding, encoding === 'gzip' ? gzipSync(bytes) : bytes)
}

t.test('answers that look like a refusal but concern the caller', async t => {
  const expired = v2('invalid-jwt', 'Could not verify JWT: JWTExpired').errors[0]
  const answers: [string, unknown, number?][] = [
    ['role not allowed', v2('access-denied', 'Your requested role is not in allowed roles')],
    ['deeper in the document', v2('invalid-jwt', 'x', '$.selectionSet.login')],
    ['beside data', { data: { a: 1 }, errors: [expired] }],
    ['beside null data', { data: null, errors: [expired] }],
    ['one of two errors', { errors: [expired, expired] }],
    ['another code', v2('validation-failed', 'Could not verify JWT: JWTExpired')],
    ['no extensions', { errors: [{ message: 'Could not verify JWT: JWTExpired' }] }],
    ['within data', { data: { errors: [expired] } }],
    ['a DDN message with 200', { data: null, errors: [{ message: 'JWT validation error: ExpiredSignature' }] }, 200],
    ['a DDN message beside data', { data: {}, errors: [{ message: 'JWT validation error: ExpiredSignature' }] }, 400],
    ['a DDN message not at the beginning', { errors: [{ message: 'no JWT validation error: x' }] }, 400],
    ['HTML', '<html>"errors" invalid-jwt</html>', 500],
    ['nothing', '', 500],
    ['larger than any refusal', JSON.stringify(v2('invalid-jwt', 'JWTExpired')) + ' '.repeat(5000)]
  ]
  for (const [title, body, status] of answers) {
    t.equal(read(body, status), undefined, title)
    t.equal(read(body, status, 'gzip'), undefined, `${title}, in gzip`)
  }
})

t.test('refusals that no new token can fix', async t => {
  const answers: [unknown, number?][] = [
    [v2('invalid-headers', "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")],
    [v2('invalid-headers', 'Malformed Authorization header')],
    [v2('jwt-invalid-claims', "claims key: 'https://hasura.io/jwt/claims' not found")],
    [v2('jwt-missing-role-claims', 'JWT claim does not contain x-hasura-allowed-roles')],
    [v2('invalid-jwt', 'Could not verify JWT: JWTNotInAudience')],
    [v2('invalid-jwt', 'Could not verify JWT: JWTNotInIssuer')],
    [{ errors: [{ message: 'JWT validation error: InvalidIssuer' }] }, 400],
    [{ data: null, errors: [{ message: 'Internal Error - Error while decoding the JWT: InvalidAudience' }] }, 500]
  ]
  for (const [body, status] of answers) t.match(read(body, status), { isRenewable: false }, JSON.stringify(body))
})

t.test('refusals that a new token may fix, in every form', async t => {
  const ddn = (message: string) => ({ errors: [{ message }] })
  const answers: [string, unknown, number?][] = [
    ['invalid-jwt', v2('invalid-jwt', 'Could not verify JWT: JWTExpired')],
    ['invalid-jwt', v2('invalid-jwt', 'Could not verify JWT: JWTExpired'), 400],
    ['invalid-jwt', v2('invalid-jwt', 'Could not verify JWT: JWSError JWSInvalidSignature')],
    ['invalid-jwt', v2('invalid-jwt', 'Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts)')],
    ['invalid-jwt', '{"errors":[{"message":"Could not verify JWT: JWTExpired","extensions":{"code":"invalid-jwt","path":"$"}}]}'],
    ['invalid-jwt', '  {\n "errors" : [ {"extensions":{"path":"$","code":"invalid-jwt"},"message":"Could not verify JWT: JWTExpired"}]}'],
    ['ddn-jwt', ddn('JWT validation error: ExpiredSignature'), 400],
    ['ddn-jwt', { data: null, ...ddn('Internal Error - Error while decoding the JWT: ExpiredSignature') }, 500],
    ['ddn-jwt', ddn('No matching JWK found for the given kid: abc'), 500],
    ['http-401', 'Unauthorized', 401],
    ['http-401', '', 401],
    ['http-401', `<html>${'x'.repeat(10_000)}</html>`, 401]
  ]
  for (const [reason, body, status] of answers) {
    t.match(read(body, status), { reason, isRenewable: true }, JSON.stringify(body).slice(0, 80))
    t.match(read(body, status, 'gzip'), { reason, isRenewable: true }, 'in gzip')
  }
})

t.test("Hasura's reason is shortened, and shows nothing that looks like a token", async t => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
  const message = read(v2('invalid-jwt', `bad token ${token} ${'x'.repeat(500)}`))?.message ?? ''
  t.notMatch(message, /eyJ|c2lnbmF0dXJl/)
  t.match(message, /^bad token \[token\]/)
  t.ok(message.length <= 200)
})
