// A Hasura on a real socket that speaks graphql-transport-ws as the test says.
import { createServer } from 'node:http'
import type { Test } from 'tap'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Answer, sendJson } from './fake-server.ts'
import { listen } from './listen.ts'

type Message = { type: string; id?: string; payload?: { headers?: Record<string, string>; query?: string; variables?: unknown } }

/** Starts it for a test, with which it ends. A live query is answered `{"data":{"n":<state>}}` at once and at each `push`. */
export async function liveHasuraFor(t: Test, answer: Answer = response => sendJson(response, '{"data":{"n":0}}')) {
  const open = new Map<WebSocket, Set<string>>()
  const received: Message[] = []
  const live = {
    url: '',
    received,
    /** The answer to the next subscription. */
    answer: '{"data":{"n":0}}',
    /** Refuses every `connection_init` with these tokens. */
    refused: new Set<string>(),
    /** The tokens of the connections, in order. */
    tokens: [] as string[],
    get connections() {
      return open.size
    },
    get subscriptions() {
      return [...open.values()].reduce((sum, ids) => sum + ids.size, 0)
    },
    /** Sends an answer to every subscription. */
    push(text: string) {
      live.answer = text
      for (const [socket, ids] of open) for (const id of ids) socket.send(next(id, text))
    },
    /** Sends any message to every subscription. */
    send(message: (id: string) => string) {
      for (const [socket, ids] of open) for (const id of ids) socket.send(message(id))
    }
  }
  const next = (id: string, payload: string) => `{"type":"next","id":"${id}","payload":${payload}}`
  const server = createServer((request, response) => {
    request.resume()
    answer(response, { method: request.method ?? '', url: request.url ?? '', headers: request.headers, rawHeaders: [], body: '' }, 0)
  })
  new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' }).on('connection', socket => {
    open.set(socket, new Set())
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    socket.on('message', data => {
      const message: Message = JSON.parse(data.toString())
      received.push(message)
      if (message.type === 'ping') socket.send('{"type":"pong"}')
      if (message.type === 'connection_init') {
        const token = (message.payload?.headers?.Authorization ?? '').replace('Bearer ', '')
        live.tokens.push(token)
        if (live.refused.has(token)) socket.close(4403, 'Forbidden')
        else socket.send('{"type":"connection_ack"}')
      }
      if (message.type === 'subscribe' && message.id) {
        open.get(socket)?.add(message.id)
        if (live.answer) socket.send(next(message.id, live.answer))
      }
      if (message.type === 'complete' && message.id) open.get(socket)?.delete(message.id)
    })
  })
  const port = await listen(server)
  t.teardown(async () => {
    for (const socket of open.keys()) socket.terminate()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  live.url = `http://127.0.0.1:${port}/v1/graphql`
  return live
}
