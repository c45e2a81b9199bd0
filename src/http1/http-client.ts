// An HTTP/1.1 client for one URL: POST requests with a body, over a pool of connections.
import { AttemptError } from './attempt-error.ts'
import { type Chance, ConnectionPool } from './connection-pool.ts'
import { writeFields } from './header-fields.ts'
import { type Answer, type HttpRequest, PendingAnswer } from './pending-answer.ts'
import { type ProxyServer, proxyFields } from './tunnel.ts'

/** The default time limit for establishing one connection, in ms. */
export const CONNECT_TIMEOUT_MS = 5_000

/** Options of {@link createHttpClient}. */
export type HttpClientOptions = {
  /** The `http:` or `https:` URL of every request. */
  url: string
  /** The most connections; at least 1. */
  connections: number
  /** Time limit for establishing one connection, in ms; default {@link CONNECT_TIMEOUT_MS}. */
  connectTimeoutMs?: number
  /** A proxy: an https URL is reached through a tunnel, and requests for an http URL are sent to the proxy. Default: none. */
  proxy?: ProxyServer | undefined
  /** The clock and the random numbers that decide how long a connection is used. Default: this machine's. */
  chance?: Chance
}

/**
 * Creates a client. `request` sends one POST, without retries, and returns the answer, whatever its status. It rejects with an
 * {@link AttemptError}, whose cause is a `ProtocolError` if the answer was not HTTP/1.x. `close` closes every connection, even in use.
 */
export function createHttpClient({ url, connections, connectTimeoutMs = CONNECT_TIMEOUT_MS, proxy, chance }: HttpClientOptions) {
  const { protocol, hostname, port, host, pathname, search } = new URL(url)
  const isSecure = protocol === 'https:'
  const direct = { isSecure, hostname, port: Number(port || (isSecure ? 443 : 80)), connectTimeoutMs }
  // Proxies commonly refuse CONNECT to ports other than 443, so requests for an http URL go to the proxy (RFC 9112, section 3.2.2).
  const isForwarded = proxy !== undefined && !isSecure
  const target = isForwarded ? { ...proxy, connectTimeoutMs } : { ...direct, proxy }
  const pool = new ConnectionPool(target, connections, chance)
  const origin = isForwarded ? `http://${host}` : ''
  const start = `POST ${origin}${pathname}${search} HTTP/1.1\r\n${writeFields(['host', host])}${isForwarded ? proxyFields(proxy) : ''}`

  const request = (wanted: HttpRequest): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (wanted.signal.aborted) reject(new AttemptError('unsent', 'cancelled'))
      else pool.send(new PendingAnswer(start + wanted.fields, wanted, { resolve, reject }))
    })

  return { request, close: () => pool.close() }
}

/** A client from {@link createHttpClient}. */
export type HttpClient = ReturnType<typeof createHttpClient>
