// Names that look like settings but have no effect are reported; names that belong to other software are not.
import t from 'tap'
import { loadSettings } from '../src/settings.ts'
import { settingsWithoutEffect } from '../src/settings-warnings.ts'
import { environmentFor } from './support/gateway.ts'

const GOOD = environmentFor('https://acme.auth.eu-west-1.amazoncognito.com', 'https://hasura.example.com')

t.test('misspelt settings are reported', async t => {
  for (const [name, expected] of [
    ['GRAPHQ_ENDPOINT', 'GRAPHQ_ENDPOINT (did you mean GRAPHQL_ENDPOINT?)'],
    ['METRICS_PROT', 'METRICS_PROT (did you mean METRICS_PORT?)'],
    ['graphql_endpoint', 'graphql_endpoint (did you mean GRAPHQL_ENDPOINT?)'],
    ['AWS_COGNITO_REGION', 'AWS_COGNITO_REGION (no such setting)'],
    ['HASURA_ROLE', 'HASURA_ROLE (no such setting)']
  ] as const)
    t.strictSame(settingsWithoutEffect({ ...GOOD, [name]: 'x' }), [expected])
})

t.test('variables of other software are not reported', async t => {
  const names = [
    'HASURA_GRAPHQL_ADMIN_SECRET',
    'GRAPHQL_SERVICE_HOST',
    'HASURA_SERVICE_PORT_HTTP',
    'GRAPHQL_ENGINE_PORT_8080_TCP_ADDR',
    'HASURA_PORT',
    'AWS_REGION',
    'PATH',
    'POST',
    'FTP_PROXY',
    'OTEL_SERVICE_NAME'
  ]
  t.strictSame(settingsWithoutEffect({ ...GOOD, ...Object.fromEntries(names.map(name => [name, 'x'])) }), [])
})

t.test('settings for a kind of caller that CALLER_AUTH does not allow are reported', async t => {
  const environment = { ...GOOD, CALLER_KEYS_FILE: 'x', CALLER_JWT_ISSUER: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a' }
  t.strictSame(settingsWithoutEffect(environment, await loadSettings(environment)), [
    'CALLER_KEYS_FILE (CALLER_AUTH has no api-key)',
    'CALLER_JWT_ISSUER (CALLER_AUTH has no jwt)'
  ])
  const withJwt = { ...environment, CALLER_AUTH: 'jwt' }
  t.strictSame(settingsWithoutEffect(withJwt, await loadSettings(withJwt)), ['CALLER_KEYS_FILE (CALLER_AUTH has no api-key)'])
})
