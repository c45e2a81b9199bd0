// Sends Hasura's answer to the caller: its bytes unchanged, its status as the accepted media type requires.
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
    /** Sends Hasura's answer: a small one in one piece, a large one as a stream at the caller's pace; resolves when it is sent. */
    passAnswer(answer: UpstreamAnswer): Promise<void>
  }
}

/** The only headers of Hasura's answer that are passed on. */
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
 * Returns a function whose promise resolves when the sockets that are ready in this turn of the event loop have been read. All calls in
 * one turn get the same promise, so that their answers are written together, which wakes the readers less often.
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
  // Node writes a head with a string in one piece, but with a buffer in two. The serializer keeps Fastify from adding a charset.
  return reply.serializer(asItIs).send(head.toString())
}

/** Sends the answer as one event, whatever its status, to a caller that accepts only an event stream. */
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

/** Sets the headers that are passed on. Returns whether they are ASCII, so that Node can encode them together with the text. */
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

/** Records for the log why an answer broke off after its status was sent. */
function noteBreak(request: FastifyRequest, error: unknown): void {
  request.errorCode = error instanceof AttemptError && error.reason === 'timeout' ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE'
  if (error instanceof AttemptError) request.fault = error.fault
}

export default fp(
  async app => {
    const turnEnd = createTurnEnd()
    app.decorateReply('passAnswer', async function (this: FastifyReply, answer) {
      // A stream is piped at once, because until then nothing ends it if the caller leaves. A single answer has no others to wait for.
      if (answer.stream === undefined && app.requestsInFlight() > 1) await turnEnd()
      await send(this.request, this, answer)
    })
  },
  { name: 'passAnswer', dependencies: ['errors', 'shutdown'] }
)
