// Tells from the first bytes of Hasura's answer whether it has the member `data`.
import { constants, gunzipSync } from 'node:zlib'
import { findMember } from './top-level-member.ts'

const GZIP_START_BYTES = 4_096

/**
 * Whether a JSON object has the member `data`, even if null. Reads only the top level. The text may be incomplete; a member beyond its
 * end is not found.
 * @param encoding the content encoding of the bytes; gzip is decompressed
 */
export function hasDataMember(bytes: Buffer, encoding?: string): boolean {
  const body = encoding === 'gzip' ? gunzipStart(bytes) : bytes
  return body.toString('latin1', 0, 8) === '{"data":' || findMember(body, 'data') !== -1
}

/** Decompresses the beginning of gzip bytes; only a few of them, since the result may be a thousand times as large. */
function gunzipStart(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes.subarray(0, GZIP_START_BYTES), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return bytes
  }
}
