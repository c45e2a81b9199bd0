// The real service between the sandbox's Cognito and Hasura, all on free ports.
import type { Test } from 'tap'
import { startCognito } from '../../sandbox/cognito.ts'
import { type HasuraOptions, startHasura } from '../../sandbox/hasura.ts'
import { buildApp } from '../../src/app.ts'
import { loadSettings } from '../../src/settings.ts'
import { environmentFor, NEVER_SHED } from './gateway.ts'
import { postJson } from './post-json.ts'

/** Starts all three for one test. */
export async function sandboxFor(t: Test, settings: Record<string, string> = {}, hasuraOptions: Partial<HasuraOptions> = {}) {
  const cognito = await startCognito({ clientId: 'client-id', clientSecret: 'client-secret', tokenLifetimeSeconds: 300 })
  const hasura = await startHasura({ jwksUrl: cognito.jwksUrl, issuer: cognito.issuer, ...hasuraOptions })
  const environment = { ...environmentFor(cognito.url, ''), GRAPHQL_ENDPOINT: hasura.url, ...settings }
  const app = await buildApp(await loadSettings(environment), undefined, NEVER_SHED)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await app.close()
    await Promise.all([cognito.close(), hasura.close()])
  })
  const post = (body: object, headers?: Record<string, string>) => postJson(`${url}/execute-graphql`, body, headers)
  return { app, url, post }
}
