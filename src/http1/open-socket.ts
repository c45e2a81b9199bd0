// Opens the socket of a connection: TCP, or TLS over it.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Where connections lead. */
export type Target = {
  isSecure: boolean
  hostname: string
  port: number
  /** The longest that making one may take, in ms. */
  connectTimeoutMs: number
}

/** After this long without traffic the kernel asks whether the other side is still there, in ms. */
const TCP_KEEP_ALIVE_MS = 60_000

/**
 * The bytes that any connection has read last. All share them: reading never interrupts the use of what was read before, and whoever keeps
 * some makes a copy.
 */
export const readBytes = Buffer.allocUnsafeSlow(65_536)

/**
 * Opens a socket; its event `connect`, or `secureConnect`, says when it can be used.
 * @param session a TLS session to resume
 * @param onRead called each time so many bytes lie in {@link readBytes}
 */
export function openSocket({ isSecure, hostname, port }: Target, session: Buffer | undefined, onRead: (length: number) => void): Socket {
  const callback = (length: number) => {
    onRead(length)
    return true
  }
  const onread = { buffer: readBytes, callback }
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const options = { host, port, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }
  if (!isSecure) return connectTcp(options)
  // Server name indication takes a name, never an address (RFC 6066, section 3).
  return connectTls({ ...options, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ['http/1.1'], ...(session && { session }) })
}
