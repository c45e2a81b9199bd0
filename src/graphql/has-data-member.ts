// Whether an answer of Hasura has the member data, read from its first bytes.
import { constants, gunzipSync } from 'node:zlib'

const GZIP_START_BYTES = 4_096
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPENING = new Set([0x7b, 0x5b])
const CLOSING = new Set([0x7d, 0x5d])

/**
 * Whether a JSON object has the member `data`, null included. Reads the top level alone and takes a text that is cut off:
 * a member beyond the cut is not seen.
 * @param encoding the content encoding of the bytes; gzip is looked into
 */
export function hasDataMember(bytes: Buffer, encoding?: string): boolean {
  const body = encoding === 'gzip' ? gunzipStart(bytes) : bytes
  if (body.toString('latin1', 0, 8) === '{"data":') return true
  let depth = 0
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number
    if (OPENING.has(byte)) depth++
    else if (CLOSING.has(byte)) depth--
    else if (byte === QUOTE) {
      const start = at + 1
      for (at = start; at < body.length && body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at++
      if (depth === 1 && body.toString('latin1', start, at) === 'data' && nextByte(body, at + 1) === COLON) return true
    }
  }
  return false
}

/** The beginning of gzip bytes; few of them are looked at, since a thousand times as many may come of them. */
function gunzipStart(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes.subarray(0, GZIP_START_BYTES), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return bytes
  }
}

function nextByte(body: Buffer, from: number): number | undefined {
  let at = from
  while (at < body.length && (body[at] as number) <= 0x20) at++
  return body[at]
}
