// An HTTP server on loopback that records what it receives and answers as the test says.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { listen } from './listen.ts'

/** A request as the server received it. */
export type Received = { method: string; url: string; headers: IncomingHttpHeaders; rawHeaders: string[]; body: string }

/** Answers a request; the count begins with 1. */
export type Answer = (response: ServerResponse, request: Received, count: number) => void

/** A running fake; `answer` may be replaced at any time. */
export type FakeServer = {
  url: string
  received: Received[]
  answer: Answer
  /** Open sockets. */
  sockets: Set<Socket>
  /** Resolves when that many requests in all have arrived. */
  hasReceived(count: number): Promise<void>
  close(): Promise<void>
}

/**
 * Starts a fake on a free port of 127.0.0.1.
 * @param server default: plain HTTP
 */
export async function startFakeServer(answer: Answer, server: Server = createServer()): Promise<FakeServer> {
  server.on('request', async (request, response) => {
    response.on('error', () => {})
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const { method = '', url = '', headers, rawHeaders } = request
    const received = { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() }
    fake.received.push(received)
    server.emit('received')
    fake.answer(response, received, fake.received.length)
  })
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await listen(server)
  const fake: FakeServer = {
    url: `${server instanceof SecureServer ? 'https' : 'http'}://127.0.0.1:${port}`,
    received: [],
    answer,
    sockets,
    async hasReceived(count) {
      while (fake.received.length < count) await once(server, 'received')
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close').catch(() => {})
    }
  }
  return fake
}

/** Starts one for a test, with which it ends. */
export async function fakeServerFor(t: Test, answer: Answer, server?: Server): Promise<FakeServer> {
  const fake = await startFakeServer(answer, server)
  t.teardown(() => fake.close())
  return fake
}

/** Answers with JSON; a string is sent unchanged. */
export function sendJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** What answers everything with the same JSON. */
export const json =
  (status: number, body: unknown, headers?: Record<string, string>): Answer =>
  response =>
    sendJson(response, body, status, headers)
