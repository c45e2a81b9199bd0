// The WebSocket to Hasura, by the package `ws`, with bounds on the handshake and on what a message may take.
import { WebSocket } from 'ws'
import { CONNECT_MAX_MS } from './hasura-connection.ts'
import type { OpenTransport } from './transport.ts'
import { SUBPROTOCOL } from './wire-message.ts'

/** A larger message cuts the connection, in bytes; answers have a bound of their own, below this. */
export const MESSAGE_MAX_BYTES = 64 * 1024 * 1024

/** Gives what connects to a GraphQL endpoint, `http:` or `https:`, by `ws:` or `wss:`. */
export function webSocketTo(endpoint: string): OpenTransport {
  const url = endpoint.replace(/^http/i, 'ws')
  return listener => {
    const socket = new WebSocket(url, SUBPROTOCOL, {
      maxPayload: MESSAGE_MAX_BYTES,
      handshakeTimeout: CONNECT_MAX_MS,
      // Compressing costs memory for each connection, and Hasura does not do it.
      perMessageDeflate: false
    })
    let fault: string | undefined
    socket.on('open', () => listener.onOpen())
    socket.on('message', (data, isBinary) => {
      // Nothing of the protocol is binary.
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
