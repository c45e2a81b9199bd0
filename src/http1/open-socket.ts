// Opens the socket of a connection: TCP, TLS over it, or TLS over a tunnel.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ProxyServer, tlsHost } from './tunnel.ts'

/** Where connections lead. */
export type Target = {
  isSecure: boolean
  hostname: string
  port: number
  /** The longest that making one may take, in ms. */
  connectTimeoutMs: number
  /** A proxy that makes a tunnel to a secure target; default: none. */
  proxy?: ProxyServer | undefined
}

/** After this long without traffic the kernel asks whether the other side is still there, in ms. */
const TCP_KEEP_ALIVE_MS = 60_000

/** The most bytes that one read brings. */
export const READ_MAX_BYTES = 65_536

/**
 * The bytes of the latest read. All connections share this buffer: each read is processed before the next one starts, and code that keeps
 * bytes copies them.
 */
export const readBytes = Buffer.allocUnsafeSlow(READ_MAX_BYTES)

/** Called each time so many bytes lie in {@link readBytes}. */
type OnRead = (length: number) => void

/**
 * Opens a socket to a target without a proxy; its event `connect`, or `secureConnect`, says when it can be used.
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

/** Opens TLS to a target over a tunnel that leads there; as {@link openSocket}. */
export function openSocketOver(tunnel: Socket, { hostname }: Target, session: Buffer | undefined, onRead: OnRead): Socket {
  tunnel.setKeepAlive(true, TCP_KEEP_ALIVE_MS)
  const socket = connectTls({ socket: tunnel, ...tlsHost(hostname), ...(session && { session }) })
  // TLS over another socket does not read into a buffer of ours.
  return socket.on('data', (bytes: Buffer) => {
    for (let from = 0; from < bytes.length; from += readBytes.length) onRead(bytes.copy(readBytes, 0, from))
  })
}
