// Decides whether an answer is JSON from its content type and its first and last bytes; parses it only if these are not enough.
import { gunzipSync } from 'node:zlib'
import type { Answer } from '../http1/pending-answer.ts'

const JSON_CONTENT_TYPE = /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i
/** The largest size to which a compressed answer without a length is decompressed, in bytes. */
const UNFOLDED_MAX_BYTES = 4 * 1024 * 1024

/** Whether an answer can be passed on as JSON. A small answer that ended with its connection must be complete JSON. */
export function isJsonAnswer(answer: Answer): boolean {
  const { status, headers, stream } = answer
  // Statuses end at 599 (RFC 9110, section 15), and Fastify would not send a higher one.
  if (status > 599 || !JSON_CONTENT_TYPE.test(headers.get('content-type') ?? '')) return false
  const hasLength = headers.has('content-length') || headers.has('transfer-encoding')
  if (!hasLength && stream === undefined) return isWholeJson(answer)
  return headers.has('content-encoding') || looksLikeJson(answer)
}

function looksLikeJson({ head, stream }: Answer): boolean {
  if (stream) return /^\s*[{[]/.test(head.toString('latin1', 0, 1024))
  const ends = head.toString('latin1', 0, 1) + head.toString('latin1', head.length - 1)
  return ends === '{}' || isJson(head)
}

function isWholeJson({ head, headers }: Answer): boolean {
  if (!headers.has('content-encoding')) return isJson(head)
  try {
    return isJson(gunzipSync(head, { maxOutputLength: UNFOLDED_MAX_BYTES }))
  } catch {
    return false
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}
