// A stand-in for Hasura v2: the routes, status codes, headers and error bodies of its GraphQL server, over rows in memory.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { createEngine } from './hasura-engine.ts'
import { errorBody, HasuraError } from './hasura-error.ts'
import { serveLive } from './hasura-live.ts'
import { type JwtSettings, sessionReader } from './hasura-session.ts'
import { listen, stopListening } from './listen.ts'

/** Where the stand-in listens and how it checks tokens. */
export interface HasuraOptions extends JwtSettings {
  /** 0 (the default) takes any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
}

/** A running stand-in for Hasura. */
export interface HasuraStandIn {
  /** The value for `GRAPHQL_ENDPOINT`; ends in `/v1/graphql`. */
  readonly url: string
  close(): Promise<void>
}

const JSON_TYPE = 'application/json; charset=utf-8'
const GZIP_ABOVE_BYTES = 700

// Both routes send the same bodies; only the status of an error differs.
const ERROR_STATUS: Readonly<Record<string, number>> = { '/v1/graphql': 200, '/v1alpha1/graphql': 400 }

/** Starts the stand-in with fresh rows. Rejects if the port is taken. */
export async function startHasura(options: HasuraOptions): Promise<HasuraStandIn> {
  const host = options.host ?? '127.0.0.1'
  const readSession = sessionReader(options)
  const engine = createEngine()

  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?')
    const errorStatus = ERROR_STATUS[path]
    if (request.method === 'POST' && errorStatus !== undefined) void answerGraphql(request, response, errorStatus)
    else answerOther(request.method, path, response)
  })

  async function answerGraphql(request: IncomingMessage, response: ServerResponse, errorStatus: number): Promise<void> {
    try {
      const body = await text(request)
      const { role } = await readSession(request.headers)
      sendSuccess(request, response, engine.run(body, role))
    } catch (error) {
      if (error instanceof HasuraError) send(response, errorStatus, errorBody(error))
      else if (request.errored) response.destroy()
      else {
        console.error(error)
        send(response, 500, errorBody(new HasuraError('unexpected', 'internal error')))
      }
    }
  }

  const cutLive = serveLive(server, Object.keys(ERROR_STATUS), engine, readSession)
  const port = await listen(server, options.port ?? 0, host)
  const close = () => {
    cutLive()
    return stopListening(server)
  }
  return { url: `http://${host}:${port}/v1/graphql`, close }
}

function answerOther(method: string | undefined, path: string, response: ServerResponse): void {
  const route = `${method} ${path}`
  if (route === 'GET /v1/graphql') send(response, 200, errorBody(new HasuraError('not-supported', 'PersistedQueryNotSupported')))
  else if (route === 'GET /healthz') send(response, 200, 'OK', { 'content-type': 'text/plain; charset=utf-8' })
  else if (route === 'GET /v1/version') send(response, 200, '{"server_type":"ce","version":"v2.43.0"}')
  else send(response, 404, '{"error":"resource does not exist","path":"$","code":"not-found"}')
}

function sendSuccess(request: IncomingMessage, response: ServerResponse, body: string): void {
  const requestId = request.headers['x-request-id']
  const headers = requestId === undefined ? {} : { 'x-request-id': String(requestId) }
  const isPacked = /\bgzip\b/i.test(String(request.headers['accept-encoding'])) && Buffer.byteLength(body) > GZIP_ABOVE_BYTES
  if (isPacked) send(response, 200, gzipSync(body), { ...headers, 'content-encoding': 'gzip' })
  else send(response, 200, body, headers)
}

function send(response: ServerResponse, status: number, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body), ...headers }).end(body)
}
