// An HTTP/1.1 client for one URL: POST requests with a body, over a pool of connections.
import { AttemptError } from './attempt-error.ts'
import { type Chance, ConnectionPool } from './connection-pool.ts'
import { writeFields } from './header-fields.ts'
import { type Answer, PendingAnswer } from './pending-answer.ts'
import { type ProxyServer, proxyFields } from './tunnel.ts'

/** The longest that making one connection may take where nothing else is said, in ms. */
export const CONNECT_TIMEOUT_MS = 5_000

/** What a client is made with. */
export type HttpClientOptions = {
  /** An `http:` or `https:` URL; every request goes there. */
  url: string
  /** The most connections; at least 1. */
  connections: number
  /** The longest that making one connection may take, in ms; default {@link CONNECT_TIMEOUT_MS}. */
  connectTimeoutMs?: number
  /** A proxy on the way: a tunnel to an https URL, while a request for an http URL goes to the proxy itself. Default: none. */
  proxy?: ProxyServer | undefined
  /** The clock and the numbers that decide how long a connection is used. Default: the machine's. */
  chance?: Chance
}

/** One request. */
type HttpRequest = {
  /** Header fields as `writeFields` writes them, beside `host` and `content-length`. */
  fields: string
  body: string
  /** For the whole answer, or the first 64 KiB of it; after these, for each silence while the reader wants more. In ms. */
  timeoutMs: number
  /** Ends the request; once a stream has begun, destroying that does. */
  signal: AbortSignal
}

/**
 * Makes a client. `request` sends one POST, once, and gives its answer whatever its status; it rejects with an {@link AttemptError}, whose
 * cause is a `ProtocolError` where what came is not HTTP/1.x. `close` closes every connection, also those in use.
 */
export function createHttpClient({ url, connections, connectTimeoutMs = CONNECT_TIMEOUT_MS, proxy, chance }: HttpClientOptions) {
  const { protocol, hostname, port, host, pathname, search } = new URL(url)
  const isSecure = protocol === 'https:'
  const direct = { isSecure, hostname, port: Number(port || (isSecure ? 443 : 80)), connectTimeoutMs }
  // Proxies commonly refuse CONNECT to any port but 443, so a request for an http URL is sent to the proxy itself (RFC 9112, section 3.2.2).
  const isForwarded = proxy !== undefined && !isSecure
  const target = isForwarded ? { ...proxy, connectTimeoutMs } : { ...direct, proxy }
  const pool = new ConnectionPool(target, connections, chance)
  const origin = isForwarded ? `http://${host}` : ''
  const start = `POST ${origin}${pathname}${search} HTTP/1.1\r\n${writeFields(['host', host])}${isForwarded ? proxyFields(proxy) : ''}`

  const request = ({ fields, body, timeoutMs, signal }: HttpRequest): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) reject(new AttemptError('unsent', 'cancelled'))
      else pool.send(new PendingAnswer(start + fields, body, timeoutMs, signal, { resolve, reject }))
    })

  return { request, close: () => pool.close() }
}

/** A client as {@link createHttpClient} makes it. */
export type HttpClient = ReturnType<typeof createHttpClient>
