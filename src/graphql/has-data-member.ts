// Whether an answer of Hasura has the member data, read from its first bytes.
import { constants, gunzipSync } from 'node:zlib'
import { findMember } from './top-level-member.ts'

const GZIP_START_BYTES = 4_096

/**
 * Whether a JSON object has the member `data`, null included. Reads the top level alone and takes a text that is cut off:
 * a member beyond the cut is not seen.
 * @param encoding the content encoding of the bytes; gzip is looked into
 */
export function hasDataMember(bytes: Buffer, encoding?: string): boolean {
  const body = encoding === 'gzip' ? gunzipStart(bytes) : bytes
  return body.toString('latin1', 0, 8) === '{"data":' || findMember(body, 'data') !== -1
}

/** The beginning of gzip bytes; few of them are looked at, since a thousand times as many may come of them. */
function gunzipStart(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes.subarray(0, GZIP_START_BYTES), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return bytes
  }
}
