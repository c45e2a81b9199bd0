// Reads Hasura's whole answer as text, for the result of a tool.
import { isUtf8 } from 'node:buffer'
import { addAbortSignal, type Readable } from 'node:stream'
import { GatewayError } from '../../src/errors.ts'
import type { UpstreamAnswer } from '../../src/hasura/hasura-client.ts'
import { isObject } from '../../src/json.ts'

/** The largest answer of a tool, in bytes; unlike elsewhere, all of it is held in memory. */
const TOOL_ANSWER_MAX_BYTES = 4 * 1024 * 1024

/** The answer of a tool: the text of a JSON object, and whether it reports an error. */
export type ToolAnswer = { readonly text: string; readonly isError: boolean }

/**
 * Reads a whole answer.
 * @param signal aborts when the caller leaves; default: never
 * @throws {GatewayError} `LIMIT_EXCEEDED` beyond {@link TOOL_ANSWER_MAX_BYTES}, `UPSTREAM_INVALID_RESPONSE`; what the stream breaks with
 */
export async function readWhole({ status, headers, head, stream }: UpstreamAnswer, signal?: AbortSignal): Promise<ToolAnswer> {
  if (stream && signal) addAbortSignal(signal, stream)
  const bytes = stream ? await collect(stream) : head
  // The request did not accept any content coding.
  if (headers.has('content-encoding') || !isUtf8(bytes)) throw new GatewayError('UPSTREAM_INVALID_RESPONSE')
  const text = bytes.toString()
  return { text, isError: status >= 400 || hasErrors(text) }
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    if (size > TOOL_ANSWER_MAX_BYTES)
      throw new GatewayError('LIMIT_EXCEEDED', {
        message: `The answer is larger than ${TOOL_ANSWER_MAX_BYTES} bytes, the limit for a tool. The operation has been executed.`
      })
  }
  return Buffer.concat(chunks, size)
}

/** Parses the answer, since text that is not JSON would break the message that contains it. */
function hasErrors(text: string): boolean {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('UPSTREAM_INVALID_RESPONSE', { cause })
  }
  if (!isObject(value)) throw new GatewayError('UPSTREAM_INVALID_RESPONSE')
  return 'errors' in value
}
