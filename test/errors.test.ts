// The table of errors, and the body of an error.
import t from 'tap'
import { ERROR_TABLE, errorBody, GatewayError } from '../src/errors.ts'

t.test('an error has the status of its code and, by default, its message', async t => {
  for (const [code, { status, message }] of Object.entries(ERROR_TABLE)) {
    t.match(new GatewayError(code as keyof typeof ERROR_TABLE), { code, statusCode: status, message })
  }
})

t.test('the cause of an error stays out of the body', async t => {
  const error = new GatewayError('TOKEN_UNAVAILABLE', { cause: new Error('secret'), retryAfterSeconds: 1 })
  t.equal(
    errorBody(error, 'id-1'),
    `{"errors":[{"message":"${ERROR_TABLE.TOKEN_UNAVAILABLE.message}","extensions":{"code":"TOKEN_UNAVAILABLE","requestId":"id-1"}}]}`
  )
})

t.test('locations are between the message and the extensions', async t => {
  const error = new GatewayError('GRAPHQL_PARSE_FAILED', { message: 'no', locations: [{ line: 1, column: 9 }] })
  t.equal(
    errorBody(error, 'id-1'),
    '{"errors":[{"message":"no","locations":[{"line":1,"column":9}],"extensions":{"code":"GRAPHQL_PARSE_FAILED","requestId":"id-1"}}]}'
  )
})
