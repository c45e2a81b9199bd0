// Passes an answer of Hasura on to the caller: its bytes as they came, its status by the type that the caller accepts.
import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { COMPLETE_EVENT, EVENT_END, EVENT_STREAM_HEADERS, inLines, NEXT_START, nextEvent } from '../src/event-stream/events.ts'
import { hasDataMember } from '../src/graphql/has-data-member.ts'
import { GRAPHQL_RESPONSE_TYPE, statusOf } from '../src/graphql/negotiation.ts'
import type { UpstreamAnswer } from '../src/hasura/hasura-client.ts'
import { AttemptError } from '../src/http1/attempt-error.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Sends an answer of Hasura, a small one in one piece, a large one as a stream at the caller's pace; resolves when it is sent. */
    passAnswer(answer: UpstreamAnswer): Promise<void>
  }
}

/** Hasura's headers that reach the caller; all others stay behind. */
const PASSED_BACK = [
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'retry-after',
  'warning',
  'x-hasura-query-cache-key',
  'x-hasura-query-family-cache-key'
] as const

/**
 * Makes a function whose promise resolves when the sockets of this turn of the event loop have been read; all who ask in one turn get the
 * same one. Answers that wait for it are written right after each other, which wakes their readers less often.
 */
function createTurnEnd(): () => Promise<void> {
  let turnEnd: Promise<void> | undefined
  return () => {
    turnEnd ??= new Promise(resolve =>
      setImmediate(() => {
        turnEnd = undefined
        resolve()
      })
    )
    return turnEnd
  }
}

function send(request: FastifyRequest, reply: FastifyReply, answer: UpstreamAnswer): FastifyReply {
  const { responseType } = request
  if (request.eventsFor === 'everything') return sendAsEvent(request, reply, answer)
  const { status, headers, head, stream } = answer
  const isAscii = passHeadersBack(reply, headers)
  if (responseType === GRAPHQL_RESPONSE_TYPE) reply.type(`${GRAPHQL_RESPONSE_TYPE}; charset=utf-8`)
  reply.code(statusOf(responseType, status, () => hasDataMember(head, headers.get('content-encoding'))))
  stream?.once('error', error => noteBreak(request, error))
  if (stream || !isAscii || !isUtf8(head)) return reply.send(stream ?? head)
  // Node writes a head and a text in one piece, but a head and bytes in two; the serializer keeps Fastify from adding a charset.
  return reply.serializer(asItIs).send(head.toString())
}

/** For a caller that takes nothing but an event stream: the answer as its one event, whatever the status. */
function sendAsEvent(request: FastifyRequest, reply: FastifyReply, { head, stream }: UpstreamAnswer): FastifyReply {
  stream?.once('error', error => noteBreak(request, error))
  return reply.headers(EVENT_STREAM_HEADERS).send(stream ? Readable.from(asEvents(stream)) : nextEvent(head.toString()) + COMPLETE_EVENT)
}

async function* asEvents(stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  yield NEXT_START
  for await (const chunk of stream) yield inLines(decoder.decode(chunk, { stream: true }))
  yield `${EVENT_END}${COMPLETE_EVENT}`
}

/** Sets the headers that the caller gets; tells whether they are ASCII, so that they and a text may be encoded as one. */
function passHeadersBack(reply: FastifyReply, headers: UpstreamAnswer['headers']): boolean {
  let isAscii = true
  for (const name of PASSED_BACK) {
    const value = headers.get(name)
    if (value === undefined) continue
    reply.header(name, value)
    isAscii &&= ASCII.test(value)
  }
  return isAscii
}

const ASCII = /^[\x20-\x7e\t]*$/
const asItIs = (text: string) => text

/** Notes for the log why an answer broke off after its status had gone to the caller. */
function noteBreak(request: FastifyRequest, error: unknown): void {
  request.errorCode = error instanceof AttemptError && error.reason === 'timeout' ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE'
  if (error instanceof AttemptError) request.fault = error.fault
}

export default fp(
  async app => {
    const turnEnd = createTurnEnd()
    app.decorateReply('passAnswer', async function (this: FastifyReply, answer) {
      // A stream is piped at once: until then, nothing would end it if the caller left. A lone answer has no other to go out with.
      if (answer.stream === undefined && app.requestsInFlight() > 1) await turnEnd()
      await send(this.request, this, answer)
    })
  },
  { name: 'passAnswer', dependencies: ['errors', 'shutdown'] }
)
