// Creates an agent with which Node's own HTTP client connects through a proxy's tunnel, for upgrades such as WebSocket.
import type { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { openTunnel, type ProxyServer, tlsHost } from './tunnel.ts'

/**
 * Creates an agent for the requests of one origin. Each request gets its own tunnel, for http as well as https.
 * @param connectTimeoutMs time limit for the proxy to open a tunnel, in ms
 */
export function createTunnelAgent(proxy: ProxyServer, { protocol, hostname, port }: URL, connectTimeoutMs: number): Agent {
  const isSecure = protocol === 'https:'
  const createConnection = (_options: unknown, onCreate?: (error: Error | null, socket: Duplex) => void) => {
    let fault: Error | undefined
    const socket = openTunnel(proxy, hostname, Number(port || (isSecure ? 443 : 80)), tunnel => {
      clearTimeout(timer)
      tunnel.off('end', onEnd).off('close', onClose)
      onCreate?.(null, isSecure ? connectTls({ socket: tunnel, ...tlsHost(hostname) }) : tunnel)
    })
    const overdue = () => socket.destroy(new Error(`no tunnel within ${connectTimeoutMs} ms`))
    const timer = setTimeout(overdue, connectTimeoutMs)
    const onEnd = () => void socket.destroy()
    const onClose = () => {
      clearTimeout(timer)
      onCreate?.(fault ?? new Error('the proxy closed the connection'), socket)
    }
    // Never removed, because an error event without a listener would end the process. The user of the tunnel adds its own.
    socket.on('error', error => {
      fault = error
    })
    socket.once('end', onEnd).once('close', onClose)
    return undefined
  }
  // Importing node:http from an ES module also loads all of Node's fetch (nodejs/node#59686): 40 ms and 12 MB at every start.
  const { Agent } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http')
  return Object.assign(new Agent(), { createConnection })
}
