// Fakes for the benchmarks: bare servers on loopback that record nothing.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { sendJson } from '../test/support/fake-server.ts'
import { listen } from '../test/support/listen.ts'
import { TOKEN } from './workload.ts'

/** Handles a request whose body has been read. */
export type Handler = (response: ServerResponse, request: IncomingMessage, body: string) => void

/** Starts a server on a free port of 127.0.0.1. */
export async function startFake(handler: Handler) {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', chunk => (body += chunk))
    request.on('end', () => handler(response, request, body))
    request.on('error', () => {})
    response.on('error', () => {})
  })
  const port = await listen(server)
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, close }
}

/** Starts a Cognito that gives everyone the token of the workload. */
export const startCognito = () => startFake(response => sendJson(response, { access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' }))
