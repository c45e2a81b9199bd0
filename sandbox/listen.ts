// Starting and stopping a loopback HTTP server of the sandbox.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Listens on `host`:`port` (0: any free port) and returns the port.
 * Rejects with Node's own error, `EADDRINUSE` for one, if that fails.
 */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Stops the server and cuts open connections; resolves once it is closed. Safe to call twice. */
export async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
