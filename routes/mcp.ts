// POST /mcp: stored operations as tools of the Model Context Protocol, over Streamable HTTP without sessions.
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, onRequestHookHandler } from 'fastify'
import { errorBody, GatewayError } from '../src/errors.ts'
import type { StoredOperation } from '../src/stored-operations/stored-operation.ts'
import { serviceVersion } from '../src/version.ts'
import { readArguments, readMessage } from './mcp/message.ts'
import { AnswerPlace } from './mcp/result-message.ts'
import { toolOf } from './mcp/tool.ts'
import { readWhole, type ToolAnswer } from './mcp/whole-answer.ts'

const SERVER = { name: 'cognito-hasura-gateway', version: serviceVersion }
/** Tools in one answer to `tools/list`; the next page starts after the last of them. */
const PAGE_SIZE = 200
/** The headers that the SDK reads. */
const SDK_HEADERS = ['accept', 'content-type', 'mcp-protocol-version']
/** The SDK requires a URL but does not use it. */
const ANY_URL = 'http://localhost/mcp'

/**
 * Refuses pages of origins that are not listed, even if the browser sends no `Sec-Fetch-Site` (MCP 2025-11-25, "Transports", security
 * warning).
 * @throws {GatewayError} `CROSS_SITE_REQUEST`
 */
function createOriginCheck(origins: ReadonlySet<string>): onRequestHookHandler {
  return ({ headers: { origin } }, _, done) =>
    done(origin !== undefined && !origins.has(origin) ? new GatewayError('CROSS_SITE_REQUEST') : undefined)
}

/** The kinds of stored operations that become tools. */
const TOOL_KINDS: ReadonlySet<string> = new Set(['query', 'mutation'])

/** Returns one page of the tools that a caller may run, starting after the cursor, which is the name of a tool. */
function listTools({ config, operations }: FastifyInstance, { caller }: FastifyRequest, cursor = '') {
  const catalog = operations.current
  const mayRun = ({ kind }: StoredOperation) =>
    TOOL_KINDS.has(kind) && config.GRAPHQL_ALLOWED_OPERATIONS.has(kind) && caller?.operations?.has(kind) !== false
  const left = catalog.operations.filter(one => mayRun(one) && one.name > cursor).sort((a, b) => (a.name < b.name ? -1 : 1))
  const page = left.slice(0, PAGE_SIZE)
  return { tools: page.map(one => toolOf(one, catalog)), ...(left.length > PAGE_SIZE && { nextCursor: page.at(-1)?.name }) }
}

async function runTool(
  app: FastifyInstance,
  request: FastifyRequest,
  name: string,
  argumentsText: string | undefined
): Promise<ToolAnswer> {
  const catalog = app.operations.current
  const operation = catalog.get(name)
  if (operation === undefined || !TOOL_KINDS.has(operation.kind)) throw new GatewayError('NOT_FOUND', { message: 'There is no such tool.' })
  const { document } = operation
  request.operation = document.operations[0]
  request.storedOperationName = name
  const variables = catalog.variablesOf(operation).fromBody(undefined, readArguments(argumentsText))
  const answer = await app.callHasura(request, { document, operationName: undefined, variables })
  return readWhole(answer, request.callerLeft?.signal)
}

/** Runs a tool; returns an error as an answer too, so that the model can read it. */
async function callTool(
  app: FastifyInstance,
  request: FastifyRequest,
  name: string,
  argumentsText: string | undefined
): Promise<ToolAnswer> {
  try {
    return await runTool(app, request, name, argumentsText)
  } catch (error) {
    if (request.callerLeft?.signal.aborted) throw error
    return { text: errorBody(request.noteError(error), request.id), isError: true }
  }
}

const routes: FastifyPluginAsync = async app => {
  const jsonSchemaValidator = new AjvJsonSchemaValidator()
  app.addHook('onRequest', createOriginCheck(app.config.CORS_ORIGINS))

  /** Answers one request; without sessions, the SDK requires a new server for each. */
  const answer = async (request: FastifyRequest, place: AnswerPlace): Promise<Response> => {
    const { message, argumentsText } = readMessage(request.bodyMembers)
    const server = new Server(SERVER, { capabilities: { tools: {} }, jsonSchemaValidator })
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => listTools(app, request, params?.cursor))
    server.setRequestHandler(CallToolRequestSchema, async ({ params }) =>
      place.resultOf(await callTool(app, request, params.name, argumentsText))
    )
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
    await server.connect(transport)
    const headers = SDK_HEADERS.flatMap(name => {
      const value = request.headers[name]
      return typeof value === 'string' ? [[name, value] satisfies [string, string]] : []
    })
    return transport.handleRequest(new Request(ANY_URL, { method: 'POST', headers }), { parsedBody: message })
  }

  app.post('/mcp', { onRequest: [app.checkAcceptAndRole, app.awaitOperations], schema: { hide: true } }, async (request, reply) => {
    const place = new AnswerPlace()
    const response = await answer(request, place)
    if (request.callerLeft?.signal.aborted) return reply.hijack()
    const message = await response.text()
    reply.code(response.status)
    if (message === '') return reply.send()
    return reply
      .type('application/json; charset=utf-8')
      .serializer((text: string) => text)
      .send(place.fill(message))
  })
}

export default routes
