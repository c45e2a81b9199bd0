// The Cognito stand-in's `GetClientToken`, called by the AWS SDK's own client.
import {
  CognitoIdentityProviderClient,
  GetClientTokenCommand,
  type GetClientTokenCommandInput,
  ListUserPoolsCommand
} from '@aws-sdk/client-cognito-identity-provider'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { startCognito } from '../../sandbox/cognito.ts'

const CLIENT = { clientId: 'machine', clientSecret: 'se+cr%et' }
const GOOD = { ClientId: CLIENT.clientId, Secret: CLIENT.clientSecret }

async function standInFor(t: Test) {
  const cognito = await startCognito({ ...CLIENT, scopes: 'hasura/read hasura/write', tokenLifetimeSeconds: 90 })
  const sdk = new CognitoIdentityProviderClient({
    region: 'eu-west-1',
    endpoint: cognito.url,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    maxAttempts: 1
  })
  t.teardown(async () => {
    sdk.destroy()
    await cognito.close()
  })
  return { cognito, sdk, ask: (input: GetClientTokenCommandInput) => sdk.send(new GetClientTokenCommand(input)) }
}

for (const [title, input, name] of [
  ['a wrong secret', { ...GOOD, Secret: 'wrong' }, 'NotAuthorizedException'],
  ['an unknown client', { ...GOOD, ClientId: 'nobody' }, 'ResourceNotFoundException'],
  ['a scope that is not enabled', { ...GOOD, Scopes: ['hasura/read', 'hasura/admin'] }, 'InvalidParameterException'],
  ['no secret', { ClientId: CLIENT.clientId, Secret: undefined }, 'InvalidParameterException']
] as [string, GetClientTokenCommandInput, string][])
  t.test(`the SDK knows ${title} as ${name}`, async t => {
    const { ask } = await standInFor(t)
    await t.rejects(ask(input), { name, $metadata: { httpStatusCode: 400 } })
  })

t.test('other actions are refused', async t => {
  const { sdk } = await standInFor(t)
  await t.rejects(sdk.send(new ListUserPoolsCommand({ MaxResults: 1 })), { name: 'UnknownOperationException' })
})

for (const body of ['', '{', '[1]', '7', 'null', '{"Scopes":"a"}', '{"Scopes":[1]}', '{"ClientMetadata":{"a":1}}', '{"ClientMetadata":7}'])
  t.test(`a body of ${body || 'nothing'} is refused`, async t => {
    const { cognito } = await standInFor(t)
    const response = await fetch(cognito.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken' },
      body
    })
    t.equal(response.status, 400)
    t.match(await response.json(), { __type: /^(SerializationException|InvalidParameterException)$/ })
  })

t.test('the SDK gets a token that the keys verify, with every scope', async t => {
  const { cognito, ask } = await standInFor(t)
  const { ClientAuthenticationResult: result, $metadata } = await ask({ ...GOOD, ClientMetadata: { tenant: 'a' } })
  t.match(result, { ExpiresIn: 90, TokenType: 'Bearer' })
  t.match($metadata.requestId, /^[0-9a-f-]{36}$/)
  const { payload } = await jwtVerify(result?.AccessToken ?? '', createRemoteJWKSet(new URL(cognito.jwksUrl)))
  t.match(payload, { client_id: 'machine', scope: 'hasura/read hasura/write', iss: cognito.issuer })
})

t.test('a requested scope is the only one in the token', async t => {
  const { ask } = await standInFor(t)
  const { ClientAuthenticationResult: result } = await ask({ ...GOOD, Scopes: ['hasura/read'] })
  t.equal(decodeJwt(result?.AccessToken ?? '').scope, 'hasura/read')
})
