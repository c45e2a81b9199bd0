// The stand-in's WebSocket: graphql-transport-ws with its reference library, and Hasura's checks, close codes and keep-alive.
import type { IncomingHttpHeaders, Server } from 'node:http'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { type Extra, useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { Engine } from './hasura-engine.ts'
import { HasuraError } from './hasura-error.ts'
import { keepDigits } from './hasura-request.ts'
import type { Session } from './hasura-session.ts'

const KEEP_ALIVE_MS = 5_000

/** The state of a connection once its `connection_init` is accepted. */
interface Live {
  session?: Session
  /** Aborted when the connection ends. */
  end?: AbortController
}

/** Serves WebSocket connections at some paths of a server. Returns a function that cuts them all. */
export function serveLive(
  server: Server,
  paths: readonly string[],
  engine: Engine,
  readSession: (headers: IncomingHttpHeaders) => Promise<Session>
): () => void {
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    const [path = ''] = (request.url ?? '').split('?')
    if (paths.includes(path)) sockets.handleUpgrade(request, socket, head, client => sockets.emit('connection', client, request))
    else socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
  })

  useServer<Record<string, unknown>, Live & Record<PropertyKey, unknown>>(
    {
      // Digits are kept both ways: the results hold numbers as text.
      jsonMessageReviver: keepDigits,
      // A refusal closes with 4403.
      onConnect: async ({ connectionParams, extra }) => {
        try {
          extra.session = await readSession(lowerCased(connectionParams?.headers))
        } catch {
          return false
        }
        extra.end = endAtExpiry(extra.socket, extra.session.expiresAtMs)
        return true
      },
      onSubscribe: ({ extra }, _id, payload) => {
        const { session, end } = extra
        if (session === undefined || end === undefined) throw new Error('a subscription before connection_init')
        try {
          const request = engine.prepare(JSON.stringify(payload), session.role)
          const { document, operation } = request
          const isLive = operation.operation === 'subscription'
          const start = () =>
            isLive ? engine.live(request, session.role, end.signal) : inWords(() => engine.execute(request, session.role))
          return { schema: engine.schemaOf(session.role), document, operationName: operation.name?.value, contextValue: start }
        } catch (error) {
          if (error instanceof HasuraError) return [asGraphqlError(error)]
          throw error
        }
      },
      execute: ({ contextValue }) => (contextValue as () => ExecutionResult)(),
      subscribe: ({ contextValue }) => (contextValue as () => AsyncGenerator<ExecutionResult>)()
    },
    sockets,
    KEEP_ALIVE_MS
  )

  return () => {
    for (const client of sockets.clients) client.terminate()
    sockets.close()
  }
}

/** When its token expires, a connection just ends, without a close frame. Returns a signal that is aborted at its end, whatever the reason. */
function endAtExpiry(socket: Extra['socket'], expiresAtMs: number): AbortController {
  const end = new AbortController()
  const timer = setTimeout(() => socket.terminate(), Math.max(0, expiresAtMs - Date.now()))
  socket.once('close', () => {
    clearTimeout(timer)
    end.abort()
  })
  return end
}

function inWords(run: () => ExecutionResult): ExecutionResult {
  try {
    return run()
  } catch (error) {
    if (error instanceof HasuraError) return { errors: [asGraphqlError(error)] }
    throw error
  }
}

const asGraphqlError = ({ message, path, code }: HasuraError) => new GraphQLError(message, { extensions: { path, code } })

function lowerCased(headers: unknown): IncomingHttpHeaders {
  if (typeof headers !== 'object' || headers === null) return {}
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
}
