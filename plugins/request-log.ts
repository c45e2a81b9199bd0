// One log line a request, written when it has ended, also where its caller left before.
import type { EndedRequest, FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import pino, { type DestinationStream, type Logger } from 'pino'
import type { Operation } from '../src/graphql/document.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The operation that the request runs, once it is known. */
    operation: Operation | undefined
    /** How long Hasura took, retries included, in ms; undefined where it was not called or did not answer. */
    upstreamMs: number | undefined
    /** The status that Hasura answered with, before what the caller's Accept makes of it. */
    upstreamStatus: number | undefined
  }
  interface FastifyContextConfig {
    /** Whether the route's requests are logged at debug, as those of probes are. Default false. */
    isQuiet?: boolean
  }
}

/**
 * One request as members of a JSON object, each after a comma. pino would make them of an object as well, at several times the
 * price, and log lines are a good part of what a request costs.
 */
export function formatRequest({ request, reply, ms, config }: EndedRequest): string {
  const { id, method, caller, operation, upstreamMs, errorCode, fault } = request
  let members = `,"requestId":${quote(id)},"method":"${method}"`
  if (config.url !== undefined) members += `,"route":"${config.url}"`
  if (caller !== undefined) members += `,"caller":${quote(caller.name)}`
  if (operation?.name !== undefined) members += `,"operation":"${operation.name}"`
  if (operation !== undefined) members += `,"kind":"${operation.kind}"`
  members += `,"status":${reply.statusCode}`
  if (errorCode !== undefined) members += `,"code":"${errorCode}"`
  if (fault !== undefined) members += `,"fault":${quote(fault)}`
  members += `,"ms":${hundredths(ms)}`
  if (upstreamMs !== undefined) members += `,"upstreamMs":${hundredths(upstreamMs)}`
  return reply.raw.writableFinished ? members : `${members},"aborted":true`
}

const PLAIN = /^[ !#-[\]-~]*$/
/** What comes from outside may hold anything. */
const quote = (text: string) => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))

/** Two decimal places; written from whole numbers, which takes a fraction of the time. */
function hundredths(ms: number): string {
  const all = Math.round(ms * 100)
  const fraction = all % 100
  return `${(all - fraction) / 100}.${fraction < 10 ? '0' : ''}${fraction}`
}

/** What pino gives of a logger to those who write lines themselves ("pino.symbols" of its API). */
type LoggerParts = Pick<Logger, 'isLevelEnabled' | 'levels'> & {
  /** The members that every line begins with. */
  [pino.symbols.chindingsSym]: string
  [pino.symbols.streamSym]?: DestinationStream
}

/** Makes what writes lines that begin and end as the logger's own do. */
function createLineWriter(log: FastifyBaseLogger): (ended: EndedRequest) => void {
  const logger = log as unknown as LoggerParts
  const { [pino.symbols.chindingsSym]: base, [pino.symbols.streamSym]: stream, levels } = logger
  // Without a logger there is nothing to write to.
  if (stream === undefined) return () => {}
  return ended => {
    const level = ended.config.isQuiet ? 'debug' : 'info'
    if (!logger.isLevelEnabled(level)) return
    stream.write(`{"level":${levels.values[level]},"time":${Date.now()}${base}${formatRequest(ended)},"msg":"request"}\n`)
  }
}

export default fp(
  async app => {
    app.decorateRequest('operation', undefined)
    app.decorateRequest('upstreamMs', undefined)
    app.decorateRequest('upstreamStatus', undefined)
    app.onRequestEnd(createLineWriter(app.log))
  },
  { name: 'requestLog', dependencies: ['requestEnd', 'errors'] }
)
