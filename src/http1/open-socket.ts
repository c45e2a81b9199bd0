// Opens the socket of a connection: TCP, TLS over TCP, or TLS over a tunnel.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ProxyServer, tlsHost } from './tunnel.ts'

/** The peer of a connection. */
export type Target = {
  isSecure: boolean
  hostname: string
  port: number
  /** Time limit for establishing a connection, in ms. */
  connectTimeoutMs: number
  /** A proxy, through which a secure target is reached by tunnel; default: none. */
  proxy?: ProxyServer | undefined
}

/** After this time without traffic, in ms, the kernel probes whether the peer is still there. */
const TCP_KEEP_ALIVE_MS = 60_000

/** The most bytes of one read. */
export const READ_MAX_BYTES = 65_536

/**
 * The bytes of the latest read. All connections share this buffer: each read is processed before the next one starts, and code that keeps
 * bytes copies them.
 */
export const readBytes = Buffer.allocUnsafeSlow(READ_MAX_BYTES)

/** Called after each read with the number of bytes in {@link readBytes}. */
type OnRead = (length: number) => void

/**
 * Opens a socket to a target, without a proxy. It can be used after its event `connect`, or `secureConnect` with TLS.
 * @param session a TLS session to resume
 */
export function openSocket({ isSecure, hostname, port }: Target, session: Buffer | undefined, onRead: OnRead): Socket {
  const callback = (length: number) => {
    onRead(length)
    return true
  }
  const onread = { buffer: readBytes, callback }
  const options = { port, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }
  if (isSecure) return connectTls({ ...options, ...tlsHost(hostname), ...(session && { session }) })
  return connectTcp({ ...options, host: tlsHost(hostname).host })
}

/** Opens TLS over a tunnel to a target, like {@link openSocket}. */
export function openSocketOver(tunnel: Socket, { hostname }: Target, session: Buffer | undefined, onRead: OnRead): Socket {
  tunnel.setKeepAlive(true, TCP_KEEP_ALIVE_MS)
  const socket = connectTls({ socket: tunnel, ...tlsHost(hostname), ...(session && { session }) })
  // TLS over an existing socket does not support `onread`.
  return socket.on('data', (bytes: Buffer) => {
    for (let from = 0; from < bytes.length; from += readBytes.length) onRead(bytes.copy(readBytes, 0, from))
  })
}
