// A stand-in for Cognito's token endpoint, in the benchmark's own process: each start of the service calls it once.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TOKEN } from './workload.ts'

/** A running stand-in. */
export type CognitoStandIn = { url: string; close(): Promise<void> }

/** Starts it on a free port. */
export async function startCognito(): Promise<CognitoStandIn> {
  const server = createServer((request, response) => {
    request.resume()
    const isToken = request.method === 'POST' && request.url === '/oauth2/token'
    response.writeHead(isToken ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isToken ? { access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' } : {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
