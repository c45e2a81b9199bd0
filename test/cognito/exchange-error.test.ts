// For every code: whether the failure is transient, and what to check.
import t from 'tap'
import { CONFIGURATION_FAULTS, ExchangeError, PASSING_FAULTS } from '../../src/cognito/exchange-error.ts'

t.test('configuration errors are those that only an operator can fix', async t => {
  t.strictSame(Object.keys(CONFIGURATION_FAULTS), [
    'invalid_client',
    'invalid_grant',
    'invalid_scope',
    'invalid_request',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_parameter',
    'resource_not_found',
    'operation_not_enabled',
    'forbidden',
    'secret_unreadable'
  ])
  for (const code of Object.keys(CONFIGURATION_FAULTS) as (keyof typeof CONFIGURATION_FAULTS)[])
    t.equal(new ExchangeError(code).kind, 'configuration', code)
})

t.test('all others are transient', async t => {
  for (const code of Object.keys(PASSING_FAULTS) as (keyof typeof PASSING_FAULTS)[]) t.equal(new ExchangeError(code).kind, 'passing', code)
})

t.test('the message is the status, if there is one, and what to check', async t => {
  t.equal(new ExchangeError('unauthorized_client').message, 'enable the client credentials grant on the app client')
  t.equal(
    new ExchangeError('unauthorized_client', { status: 400 }).message,
    'status 400; enable the client credentials grant on the app client'
  )
})

t.test('the cause, the wait and the request ID are kept', async t => {
  const cause = new Error('reset')
  const error = new ExchangeError('throttled', { cause, retryAfterMs: 7, cognitoRequestId: 'id-1' })
  t.match(error, { cause, retryAfterMs: 7, cognitoRequestId: 'id-1', code: 'throttled' })
})

t.test('the advice names the setting that holds the address, or both', async t => {
  t.match(new ExchangeError('timeout', { addressSetting: 'AWS_COGNITO_ENDPOINT' }).message, 'check AWS_COGNITO_ENDPOINT and')
  t.match(new ExchangeError('timeout').message, 'check AWS_COGNITO_DOMAIN or AWS_COGNITO_ENDPOINT and')
  for (const code of Object.keys(PASSING_FAULTS) as (keyof typeof PASSING_FAULTS)[]) t.notMatch(new ExchangeError(code).message, /[<>]/)
})
