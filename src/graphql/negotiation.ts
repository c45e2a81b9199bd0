// Media types of GraphQL over HTTP, and the status that goes with them.
import { constants, gunzipSync } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'

/** The legacy type, with which the status is Hasura's own. */
export const JSON_TYPE = 'application/json'
/** The type of the specification, with which the status tells whether the request was executed. */
export const GRAPHQL_RESPONSE_TYPE = 'application/graphql-response+json'
/** One of the two types that an answer can have. */
export type ResponseType = typeof JSON_TYPE | typeof GRAPHQL_RESPONSE_TYPE

// Negotiator takes a parameter such as charset for part of the type, so both forms are on offer.
const OFFER = [JSON_TYPE, `${JSON_TYPE};charset=utf-8`, GRAPHQL_RESPONSE_TYPE, `${GRAPHQL_RESPONSE_TYPE};charset=utf-8`]

/**
 * The type to answer with: JSON where any type will do or none is named; undefined where neither is accepted
 * (GraphQL over HTTP, "Accept"; RFC 9110, section 12.5.1).
 */
export function negotiateType(accept: string | undefined): ResponseType | undefined {
  if (!accept || accept === '*/*' || accept === JSON_TYPE) return JSON_TYPE
  return chooseType(accept)
}

const chooseType = rememberLast((accept: string): ResponseType | undefined => {
  const chosen = new Negotiator({ headers: { accept } }).mediaType(OFFER)
  if (!chosen) return undefined
  return chosen.startsWith(GRAPHQL_RESPONSE_TYPE) ? GRAPHQL_RESPONSE_TYPE : JSON_TYPE
})

/** Whether a caller takes gzip (RFC 9110, section 12.5.3); without the header it does not, so as not to surprise simple ones. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  return acceptEncoding ? takesGzip(acceptEncoding) : false
}

const takesGzip = rememberLast((acceptEncoding: string) =>
  new Negotiator({ headers: { 'accept-encoding': acceptEncoding } }).encodings(['gzip']).includes('gzip')
)

/** A pure function of a header that remembers its last answers: most callers send one of a few headers, always the same. */
function rememberLast<Value>(read: (header: string) => Value): (header: string) => Value {
  const known = new LRUCache<string, { value: Value }>({ max: 100 })
  return header => {
    let entry = known.get(header)
    if (entry === undefined) {
      entry = { value: read(header) }
      known.set(header, entry)
    }
    return entry.value
  }
}

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

/** The status of an answer: Hasura's own, but with the type of the specification 400 instead of 200 where nothing was executed. */
export function statusOf(type: ResponseType, status: number, hasData: () => boolean): number {
  return type === GRAPHQL_RESPONSE_TYPE && status === 200 && !hasData() ? 400 : status
}
