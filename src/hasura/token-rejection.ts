// Recognises answers that refuse the token: from Hasura v2, from DDN, and a 401 from a proxy in front of either.
import { gunzipSync } from 'node:zlib'
import { isObject } from '../json.ts'

/** The largest answer that may be a refusal, in bytes; refusals are about 300 bytes long. */
const REFUSAL_MAX_BYTES = 4_096
/** The largest compressed answer that may be a refusal, in bytes; a low limit keeps decompression rare. */
const COMPRESSED_REFUSAL_MAX_BYTES = 1_024
/** The longest part of Hasura's reason that a caller sees, in characters. */
const REASON_MAX_LENGTH = 200

/** Hasura's refusal of a token. */
export type Refusal = {
  /** One of a few fixed words, suitable as a metric's label. */
  reason: 'invalid-jwt' | 'invalid-headers' | 'jwt-invalid-claims' | 'jwt-missing-role-claims' | 'ddn-jwt' | 'http-401'
  /** Hasura's message, cut to 200 characters, without anything that looks like a token. */
  message: string
  /** Whether a new token may help: not if the reason is the claims, headers, audience or issuer. */
  isRenewable: boolean
}

/** The codes of Hasura v2 that are about the token (Hasura v2, "Authentication using JWT", and its source, `Hasura.Server.Auth.JWT`). */
const V2_CODES = ['invalid-jwt', 'invalid-headers', 'jwt-invalid-claims', 'jwt-missing-role-claims'] as const
const DDN_MESSAGE = /^(JWT validation error: |Internal Error - Error while decoding the JWT: |No matching JWK found for the given kid: )/
const UNMENDABLE = /JWTNotInAudience|JWTNotInIssuer|InvalidAudience|InvalidIssuer/

/**
 * Returns the refusal in an answer, or undefined. The first bytes rule out most answers without parsing. A code with a deeper path,
 * beside data or among several errors comes from an action or a remote schema, and concerns the caller.
 */
export function readRefusal(status: number, contentEncoding: string | undefined, body: Buffer): Refusal | undefined {
  if (status !== 401 && (body.length > REFUSAL_MAX_BYTES || !couldBeRefusal(contentEncoding, body))) return undefined
  const error = soleError(parse(contentEncoding, body))
  const refusal = error && (readV2(error) ?? (status >= 400 ? readDdn(error) : undefined))
  if (refusal) return { ...refusal, message: withoutTokens(refusal.message) }
  return status === 401 ? { reason: 'http-401', message: 'status 401', isRenewable: true } : undefined
}

function couldBeRefusal(contentEncoding: string | undefined, body: Buffer): boolean {
  if (contentEncoding !== undefined) return body.length <= COMPRESSED_REFUSAL_MAX_BYTES
  return !body.subarray(0, DATA_START.length).equals(DATA_START) && body.includes('"errors"')
}

const DATA_START = Buffer.from('{"data":{')

type SoleError = { message: string; code: unknown; path: unknown; hasData: boolean }

/** The one error of an answer without data, or undefined. */
function soleError(answer: unknown): SoleError | undefined {
  if (!isObject(answer) || !Array.isArray(answer.errors) || answer.errors.length !== 1) return undefined
  const error: unknown = answer.errors[0]
  if (!isObject(error) || typeof error.message !== 'string' || (answer.data ?? null) !== null) return undefined
  const extensions = isObject(error.extensions) ? error.extensions : {}
  return { message: error.message, code: extensions.code, path: extensions.path, hasData: 'data' in answer }
}

function readV2({ message, code, path, hasData }: SoleError): Refusal | undefined {
  const reason = V2_CODES.find(known => known === code)
  if (reason === undefined || path !== '$' || hasData) return undefined
  return { reason, message, isRenewable: reason === 'invalid-jwt' && !UNMENDABLE.test(message) }
}

const readDdn = ({ message }: SoleError): Refusal | undefined =>
  DDN_MESSAGE.test(message) ? { reason: 'ddn-jwt', message, isRenewable: !UNMENDABLE.test(message) } : undefined

function parse(contentEncoding: string | undefined, body: Buffer): unknown {
  try {
    const plain = contentEncoding === 'gzip' ? gunzipSync(body, { maxOutputLength: REFUSAL_MAX_BYTES }) : body
    return JSON.parse(plain.toString())
  } catch {
    return undefined
  }
}

const withoutTokens = (text: string) => text.slice(0, REASON_MAX_LENGTH).replace(/[\w-]{8,}\.[\w-]{8,}\.[\w-]*|eyJ[\w-]+/g, '[token]')
