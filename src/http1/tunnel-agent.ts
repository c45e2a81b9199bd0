// An agent for Node's own HTTP client that connects through a proxy's tunnel, for what needs an upgrade, such as a WebSocket.
import type { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { openTunnel, type ProxyServer, tlsHost } from './tunnel.ts'

/**
 * Creates an agent for the requests of one origin: each takes a tunnel of its own, for http as for https.
 * @param connectTimeoutMs the longest that the proxy may take over a tunnel, in ms
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
    // Stays for good: whoever uses the tunnel hears of an error, but one that nobody listens to would end the process.
    socket.on('error', error => {
      fault = error
    })
    socket.once('end', onEnd).once('close', onClose)
    return undefined
  }
  // Importing node:http from an ES module loads all of Node's fetch with it (nodejs/node#59686): 40 ms and 12 MB at every start.
  const { Agent } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http')
  return Object.assign(new Agent(), { createConnection })
}
