// Fakes for the token benchmarks: bare servers on loopback that record nothing.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Handles a request whose body has been read. */
export type Handler = (response: ServerResponse, request: IncomingMessage, body: string) => void

/** A running fake. */
type Fake = { url: string; close(): void }

/** Starts a server on a free port of 127.0.0.1. */
export async function startFake(handler: Handler): Promise<Fake> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', chunk => (body += chunk))
    request.on('end', () => handler(response, request, body))
    request.on('error', () => {})
    response.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** The settings of the service between two fakes. */
export const environmentFor = (cognito: Fake, hasura: Fake, overrides: Record<string, string> = {}) => ({
  AWS_COGNITO_DOMAIN: cognito.url,
  AWS_COGNITO_APP_CLIENT_ID: 'bench',
  AWS_COGNITO_APP_CLIENT_SECRET: 'first',
  GRAPHQL_ENDPOINT: `${hasura.url}/v1/graphql`,
  DOCS_ENABLED: 'false',
  METRICS_PORT: '0',
  PORT: '0',
  ...overrides
})

setFlagsFromString('--expose-gc')

/** Collects garbage now, so that the remaining memory is in use. */
export const collectGarbage: () => void = runInNewContext('gc')

/** A number of bytes in MiB, to one place. */
export const inMiB = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
