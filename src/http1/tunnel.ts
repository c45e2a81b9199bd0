// A tunnel through an HTTP proxy: CONNECT (RFC 9110, section 9.3.6) over TCP, or over TLS to the proxy.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { HEAD_MAX_BYTES, parseAnswerHead } from './answer-head.ts'
import { writeFields } from './header-fields.ts'

/** A proxy between a client and its target. */
export type ProxyServer = {
  /** Whether the proxy itself is reached by TLS. */
  isSecure: boolean
  /** An IPv6 address stands in brackets. */
  hostname: string
  port: number
  /** What `Proxy-Authorization` carries; default: it is not sent. */
  authorization?: string | undefined
}

const HEAD_END = '\r\n\r\n'

/** The header field that a proxy asks for, where it asks for one. */
export const proxyFields = ({ authorization }: ProxyServer): string =>
  authorization === undefined ? '' : writeFields(['proxy-authorization', authorization])

/** What `connect` of `node:tls` needs to check a host by its name; server name indication takes no address (RFC 6066, section 3). */
export function tlsHost(hostname: string) {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ['http/1.1'] }
}

/**
 * Asks a proxy for a tunnel. Returns the socket to the proxy, which is destroyed with an error where there is to be no tunnel.
 * @param onOpen called once the socket leads to the target
 */
export function openTunnel(proxy: ProxyServer, hostname: string, port: number, onOpen: (socket: Socket) => void): Socket {
  const options = { ...tlsHost(proxy.hostname), port: proxy.port, noDelay: true }
  const socket = proxy.isSecure ? connectTls(options) : connectTcp(options)
  const authority = `${hostname}:${port}`
  socket.once(proxy.isSecure ? 'secureConnect' : 'connect', () =>
    socket.write(`CONNECT ${authority} HTTP/1.1\r\n${writeFields(['host', authority])}${proxyFields(proxy)}\r\n`, 'latin1')
  )
  let held = ''
  const onData = (bytes: Buffer) => {
    held += bytes.toString('latin1')
    const end = held.indexOf(HEAD_END)
    if (end < 0 && held.length <= HEAD_MAX_BYTES) return
    socket.off('data', onData)
    const refusal = readRefusal(held, end)
    if (refusal) socket.destroy(refusal)
    else onOpen(socket)
  }
  return socket.on('data', onData)
}

/** Why an answer to CONNECT is no tunnel; of its fields only those that make it malformed count. */
function readRefusal(text: string, end: number): Error | undefined {
  try {
    if (end < 0) return new Error("the head of the proxy's answer to CONNECT is too long")
    const { status } = parseAnswerHead(text.slice(0, end + 2))
    if (status < 200 || status > 299) return new Error(`the proxy answered CONNECT with status ${status}`)
    // The target waits for our greeting, so these bytes are not its own.
    return end + HEAD_END.length < text.length ? new Error('the proxy sent more than its answer to CONNECT') : undefined
  } catch (cause) {
    return new Error('the proxy did not answer CONNECT in HTTP', { cause })
  }
}
