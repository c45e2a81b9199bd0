// Opens a tunnel through an HTTP proxy: CONNECT (RFC 9110, section 9.3.6) over TCP, or over TLS to the proxy.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { HEAD_MAX_BYTES, parseAnswerHead } from './answer-head.ts'
import { writeFields } from './header-fields.ts'

/** An HTTP proxy. */
export type ProxyServer = {
  /** Whether the connection to the proxy itself uses TLS. */
  isSecure: boolean
  /** An IPv6 address is in brackets. */
  hostname: string
  port: number
  /** The value of `Proxy-Authorization`; default: the header is not sent. */
  authorization?: string | undefined
}

const HEAD_END = '\r\n\r\n'

/** Returns the header field with the proxy's credentials; empty if there are none. */
export const proxyFields = ({ authorization }: ProxyServer): string =>
  authorization === undefined ? '' : writeFields(['proxy-authorization', authorization])

/** Returns the options with which `connect` of `node:tls` verifies a host. An address is not sent as server name (RFC 6066, section 3). */
export function tlsHost(hostname: string) {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ['http/1.1'] }
}

/**
 * Requests a tunnel from a proxy. Returns the socket to the proxy, which is destroyed with an error if the proxy refuses.
 * @param onOpen called when the socket is connected to the target
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

/** Returns why an answer to CONNECT opens no tunnel, or undefined. Its header fields matter only if they are malformed. */
function readRefusal(text: string, end: number): Error | undefined {
  try {
    if (end < 0) return new Error("the head of the proxy's answer to CONNECT is too long")
    const { status } = parseAnswerHead(text.slice(0, end + 2))
    if (status < 200 || status > 299) return new Error(`the proxy answered CONNECT with status ${status}`)
    // In TLS the client speaks first, so these bytes are not from the target.
    return end + HEAD_END.length < text.length ? new Error('the proxy sent more than its answer to CONNECT') : undefined
  } catch (cause) {
    return new Error('the proxy did not answer CONNECT in HTTP', { cause })
  }
}
