// Opens WebSockets to Hasura with the package `ws`, with limits on the time of the handshake and the size of messages.
import type { Agent } from 'node:http'
import { WebSocket } from 'ws'
import { CONNECT_MAX_MS } from './hasura-connection.ts'
import type { OpenTransport } from './transport.ts'
import { SUBPROTOCOL } from './wire-message.ts'

/** The largest message, in bytes; a larger one ends the connection. Answers have their own, lower limit. */
export const MESSAGE_MAX_BYTES = 64 * 1024 * 1024

/**
 * Returns a function that opens WebSockets to a GraphQL endpoint: `ws:` for an `http:` URL, `wss:` for `https:`.
 * @param agent creates the sockets; default: direct connections
 */
export function webSocketTo(endpoint: string, agent?: Agent): OpenTransport {
  const url = endpoint.replace(/^http/i, 'ws')
  return listener => {
    const socket = new WebSocket(url, SUBPROTOCOL, {
      maxPayload: MESSAGE_MAX_BYTES,
      handshakeTimeout: CONNECT_MAX_MS,
      // Compression takes memory for each connection, and Hasura does not support it.
      perMessageDeflate: false,
      ...(agent && { agent })
    })
    let fault: string | undefined
    socket.on('open', () => listener.onOpen())
    socket.on('message', (data, isBinary) => {
      // The protocol has no binary messages; an empty text is refused like any other invalid message.
      listener.onMessage(isBinary ? '' : data.toString())
    })
    socket.on('error', error => {
      fault = error.message
    })
    socket.on('close', code => listener.onClose(code, fault))
    return {
      send: text => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text)
      },
      close: code => socket.close(code),
      terminate: () => socket.terminate()
    }
  }
}
