// The kinds of settings: what the text of each must look like, and the value it stands for.
import { isIP } from 'node:net'
import { Type } from '@sinclair/typebox'
import { readProxyUrl } from './proxy.ts'

/** What is expected of the value, as a bad setting's message says it, and what the setting means, in one line. */
type Words = readonly [expected: string, description: string]

const options = ([expected, description]: Words) => ({ minLength: 1, expected, description })

/** A text, taken as it is. */
export const text = (...words: Words) => Type.String(options(words))

/** A text with a default. */
export const textOr = (standard: string, ...words: Words) => Type.String({ ...options(words), default: standard })

/** A whole number between two bounds, both included. */
export const integer = (minimum: number, maximum: number, standard: number, description: string) =>
  Type.Integer({ minimum, maximum, default: standard, expected: `a whole number from ${minimum} to ${maximum}`, description })

/** `true` or `false`. */
export const flag = (standard: boolean, description: string) => Type.Boolean({ default: standard, expected: 'true or false', description })

/** One of a few words. */
export const oneOf = <Word extends string>(words: readonly Word[], standard: Word, description: string) =>
  Type.Transform(Type.String({ ...options([words.join(', '), description]), default: standard }))
    .Decode((text): Word => {
      const chosen = words.find(word => word === text)
      if (chosen === undefined) throw new TypeError('another word')
      return chosen
    })
    .Encode(String)

/** A text for which `isValid` holds; `standard` is its default, if it has one. */
export const textWhere = (isValid: (text: string) => boolean, standard: string | undefined, ...words: Words) =>
  Type.Transform(Type.String({ ...options(words), ...(standard !== undefined && { default: standard }) }))
    .Decode(text => {
      if (!isValid(text)) throw new TypeError('another kind of text')
      return text
    })
    .Encode(text => text)

/** A URL for which `isValid` holds. */
export const url = (isValid: (url: URL) => boolean, ...words: Words) =>
  Type.Transform(Type.String(options(words)))
    .Decode(text => {
      const url = new URL(text)
      if (!isValid(url)) throw new TypeError('another kind of URL')
      return url
    })
    .Encode(({ href }) => href)

/** The URL of a proxy; its port is always there, but for 80 of http and 443 of https. */
export const proxyUrl = (...words: Words) =>
  Type.Transform(Type.String(options(words)))
    .Decode(readProxyUrl)
    .Encode(({ href }) => href)

/** A JSON object whose values are strings. */
export const textMap = (...words: Words) =>
  Type.Transform(Type.String(options(words)))
    .Decode((text): Readonly<Record<string, string>> => {
      const value: unknown = JSON.parse(text)
      if (!isTextMap(value)) throw new TypeError('another kind of JSON')
      return value
    })
    .Encode(value => JSON.stringify(value))

const isTextMap = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(text => typeof text === 'string')

/** Comma-separated parts for which `isValid` holds; empty if the setting is unset. */
export const list = (isValid: (part: string) => boolean, ...words: Words) =>
  Type.Transform(Type.String({ ...options(words), minLength: 0, default: '' }))
    .Decode((text): readonly string[] => (text === '' ? [] : splitList(text, isValid)))
    .Encode(String)

/** Like {@link list}, with blanks between the parts or commas. */
export const wordList = (isValid: (part: string) => boolean, ...words: Words) =>
  Type.Transform(Type.String({ ...options(words), minLength: 0, default: '' }))
    .Decode((text): readonly string[] => (text === '' ? [] : splitList(text.replace(/\s+/g, ','), isValid)))
    .Encode(String)

/** Like {@link list}, as a set. */
export const setOf = (isValid: (part: string) => boolean, ...words: Words) =>
  Type.Transform(Type.String({ ...options(words), minLength: 0, default: '' }))
    .Decode((text): ReadonlySet<string> => new Set(text === '' ? [] : splitList(text, isValid)))
    .Encode(parts => [...parts].join(','))

/** Comma-separated choices from a few words; if the default is `none`, that word stands for the empty set. */
export const someOf = <Word extends string>(words: readonly Word[], standard: string, ...description: Words) =>
  Type.Transform(Type.String({ ...options(description), default: standard }))
    .Decode((text): ReadonlySet<Word> => {
      const parts = text === 'none' && standard === 'none' ? [] : splitList(text, part => words.some(word => word === part))
      return new Set(words.filter(word => parts.includes(word)))
    })
    .Encode(chosen => [...chosen].join(',') || standard)

/** The parts of a list, trimmed. A list of nothing but commas and blanks is a mistake, not an empty list. */
function splitList(text: string, isValid: (part: string) => boolean): string[] {
  const parts = text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)
  if (parts.length === 0 || !parts.every(isValid)) throw new TypeError('a part does not fit')
  return parts
}

/** Whether requests may go to a URL: it has no user info, which a log might show, and no fragment, which is never sent. */
export const isHttpUrl = ({ protocol, username, password, hash }: URL): boolean =>
  /^https?:$/.test(protocol) && username === '' && password === '' && hash === ''

/** Whether a text is an `https:` URL. */
export const isHttps = (value: string): boolean => URL.parse(value)?.protocol === 'https:'

/** Whether a text is a scope (RFC 6749, section 3.3). */
export const isScope = (value: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)

/** Whether a text is an IP address or a CIDR range; one of every address names nobody. */
export function isAddressRange(value: string): boolean {
  const [address = '', prefix, ...more] = value.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return more.length === 0 && bits > 0 && (prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits))
}

/** Whether a text is an origin as browsers write it (RFC 6454, section 6.2). */
export const isOrigin = (value: string): boolean => URL.parse(value)?.origin === value && value !== 'null'

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Words that only the names of credentials hold, and of what a proxy says of whom it let in. */
const CREDENTIAL_WORDS =
  /(^|[-_.])(auth|authn|authz|authorization|authentication|authenticated|token|tokens|jwt|assertion|dpop|oidc|apikey|secret|password|passwd|credentials?|cookie2?|session|sessionid|userinfo)($|[-_.])/i
const CREDENTIAL_HEADERS =
  /^(proxy-.*|x-hasura-.*|cf-access-.*|x-goog-iap-.*|x-ms-client-principal.*|x-amz-(?!cf-id$).*|(x-)?forwarded-client-cert|.*(api|access|subscription|functions|private|shared|auth|master)[-_]?key)$/i
const OWN_HEADERS =
  /^(host|connection|content-.*|transfer-encoding|keep-alive|te|trailer|upgrade|expect|accept|accept-encoding|x-request-id|traceparent|tracestate)$/i

/** Whether a header may carry the token to Hasura (a field name of RFC 9110, section 5.1). */
export const isTokenHeader = (name: string): boolean => HEADER_NAME.test(name) && !OWN_HEADERS.test(name) && !/^cookie2?$/i.test(name)

/** Whether a caller's header may go on to Hasura: no credential, and none that the service sets itself. */
export const isForwardable = (name: string): boolean =>
  HEADER_NAME.test(name) && !CREDENTIAL_WORDS.test(name) && !CREDENTIAL_HEADERS.test(name) && !OWN_HEADERS.test(name)
