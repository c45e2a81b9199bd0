// The real service between a fake Cognito and a fake Hasura, all on free ports of 127.0.0.1.
import { fileURLToPath } from 'node:url'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadSettings } from '../../src/settings.ts'
import { type Answer, type FakeServer, sendJson, startFakeServer } from './fake-server.ts'
import { postJson } from './post-json.ts'

/** A folder without stored operations. */
const NO_OPERATIONS = fileURLToPath(new URL('./no-operations', import.meta.url))

/** The n-th token of the fake Cognito. */
export const tokenNumber = (n: number) => `header.payload-${n}.signature`

/** A Cognito that returns a new token, valid for an hour, to each request. */
export const givesTokens: Answer = (response, _, count) =>
  sendJson(response, { access_token: tokenNumber(count), expires_in: 3600, token_type: 'Bearer' })

/** A Hasura that answers everything alike. */
export const givesData: Answer = response => sendJson(response, '{"data":{"users":[{"id":1}]}}')

/** A busy machine delays the event loop by seconds; the service under test must not shed requests because of that. */
export const NEVER_SHED = { maxLoopDelayMs: Number.POSITIVE_INFINITY }

/** The service under test and its two upstreams. */
export type Gateway = {
  app: FastifyInstance
  url: string
  cognito: FakeServer
  hasura: FakeServer
  /** Posts a body to /execute-graphql: an object as JSON, a string unchanged. */
  post(body: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  close(): Promise<void>
}

/** The options of a test; the rest is as in production. */
export type GatewayOptions = {
  cognito?: Answer
  hasura?: Answer
  settings?: Record<string, string>
  logger?: FastifyBaseLogger
  /** Whether to wait for the first token; default true. */
  isReady?: boolean
}

/** Settings for the two fakes, with overrides. */
export const environmentFor = (cognito: string, hasura: string, overrides: Record<string, string> = {}) => ({
  ...(overrides.AWS_COGNITO_ENDPOINT === undefined && { AWS_COGNITO_DOMAIN: cognito }),
  AWS_COGNITO_APP_CLIENT_ID: 'client-id',
  ...(!('AWS_COGNITO_APP_CLIENT_SECRET_FILE' in overrides) && { AWS_COGNITO_APP_CLIENT_SECRET: 'client-secret' }),
  GRAPHQL_ENDPOINT: `${hasura}/v1/graphql`,
  PORT: '0',
  OPERATIONS_DIR: NO_OPERATIONS,
  DOCS_ENABLED: 'false',
  METRICS_PORT: '0',
  ...overrides
})

/** Starts the service and both fakes. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const cognito = await startFakeServer(options.cognito ?? givesTokens)
  const hasura = await startFakeServer(options.hasura ?? givesData)
  const settings = await loadSettings(environmentFor(cognito.url, hasura.url, options.settings))
  const app = await buildApp(settings, options.logger, NEVER_SHED)
  const url = await app.listen({ host: settings.HOST, port: settings.PORT })
  if (options.isReady ?? true) await app.tokenManager.getToken()
  return {
    app,
    url,
    cognito,
    hasura,
    post: (body, headers, signal) => postJson(`${url}/execute-graphql`, body, headers, signal),
    async close() {
      await app.close()
      await Promise.all([cognito.close(), hasura.close()])
    }
  }
}

/** Starts them for one test, with which they end. */
export async function gatewayFor(t: Test, options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = await startGateway(options)
  t.teardown(() => gateway.close())
  return gateway
}

/** The code of the only error in an answer of the service. */
export async function codeOf(response: Response): Promise<string> {
  const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] }
  return errors[0]?.extensions.code ?? ''
}
