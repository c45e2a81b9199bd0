// The kinds of settings: how each kind's text is checked, and the value that it becomes.
import { isIP } from 'node:net'
import { Type } from '@sinclair/typebox'
import { isObject } from './json.ts'
import { readProxyUrl } from './proxy.ts'

/** What the value must be, for the message about a bad setting, and the setting's meaning, in one line. */
type Words = readonly [expected: string, description: string]

const options = ([expected, description]: Words) => ({ minLength: 1, expected, description })

/** Text, used as it is. */
export const text = (...words: Words) => Type.String(options(words))

/** Text with a default. */
export const textOr = (defaultValue: string, ...words: Words) => Type.String({ ...options(words), default: defaultValue })

/** An integer between two bounds, inclusive. */
export const integer = (minimum: number, maximum: number, defaultValue: number, description: string) =>
  Type.Integer({ minimum, maximum, default: defaultValue, expected: `a whole number from ${minimum} to ${maximum}`, description })

/** `true` or `false`. */
export const flag = (defaultValue: boolean, description: string) =>
  Type.Boolean({ default: defaultValue, expected: 'true or false', description })

/** One of a few words. */
export const oneOf = <Word extends string>(words: readonly Word[], defaultValue: Word, description: string) =>
  Type.Transform(Type.String({ ...options([`one of ${words.join(', ')}`, description]), default: defaultValue }))
    .Decode((text): Word => {
      const chosen = words.find(word => word === text)
      if (chosen === undefined) throw new TypeError('another word')
      return chosen
    })
    .Encode(String)

/** Text for which `isValid` holds; `defaultValue` is the default, if there is one. */
export const textWhere = (isValid: (text: string) => boolean, defaultValue: string | undefined, ...words: Words) =>
  Type.Transform(Type.String({ ...options(words), ...(defaultValue !== undefined && { default: defaultValue }) }))
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

/** The URL of a Redis, or none. */
export const redisUrl = (description: string) =>
  Type.Optional(url(({ protocol }) => /^rediss?:$/.test(protocol), 'a redis or rediss URL', description))

/** The URL of a proxy, or none, with its port unless that is 80 for http or 443 for https. */
export const proxyUrl = (description: string) =>
  Type.Optional(
    Type.Transform(Type.String(options(['the http or https URL of a proxy', description])))
      .Decode(readProxyUrl)
      .Encode(({ href }) => href)
  )

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
  isObject(value) && Object.values(value).every(text => typeof text === 'string')

const optionalText = (...words: Words) => Type.Transform(Type.String({ ...options(words), minLength: 0, default: '' }))

/** Parts with commas, or another separator, between them for which `isValid` holds; empty if the setting is unset. */
export const list = (isValid: (part: string) => boolean, expected: string, description: string, separator: RegExp | ',' = ',') =>
  optionalText(expected, description)
    .Decode((text): readonly string[] => (text === '' ? [] : splitList(text, isValid, separator)))
    .Encode(String)

/** Comma-separated names of headers that may be forwarded to Hasura, in lower case; empty if the setting is unset. */
export const forwardedHeaders = (...words: Words) =>
  optionalText(...words)
    .Decode((text): readonly string[] => (text === '' ? [] : splitList(text.toLowerCase(), isForwardable)))
    .Encode(String)

/** Like {@link list}, as a set. */
export const setOf = (isValid: (part: string) => boolean, ...words: Words) =>
  optionalText(...words)
    .Decode((text): ReadonlySet<string> => new Set(text === '' ? [] : splitList(text, isValid)))
    .Encode(parts => [...parts].join(','))

/** Comma-separated choices from a few words; if the default is `none`, that word means the empty set. */
export const someOf = <Word extends string>(words: readonly Word[], defaultValue: string, ...description: Words) =>
  Type.Transform(Type.String({ ...options(description), default: defaultValue }))
    .Decode((text): ReadonlySet<Word> => {
      const parts = text === 'none' && defaultValue === 'none' ? [] : splitList(text, part => words.some(word => word === part))
      return new Set(words.filter(word => parts.includes(word)))
    })
    .Encode(chosen => [...chosen].join(',') || defaultValue)

/** Returns the items of a list, trimmed. A list of only commas and blanks is an error, not an empty list. */
function splitList(text: string, isValid: (part: string) => boolean, separator: RegExp | ',' = ','): string[] {
  const parts = text
    .split(separator)
    .map(part => part.trim())
    .filter(Boolean)
  if (parts.length === 0 || !parts.every(isValid)) throw new TypeError('a part does not fit')
  return parts
}

/** Whether a URL may be called: http or https, without user info, which a log might show, and without a fragment, which is never sent. */
export const isHttpUrl = ({ protocol, username, password, hash }: URL): boolean =>
  /^https?:$/.test(protocol) && username === '' && password === '' && hash === ''

/** Whether the text is an `https:` URL. */
export const isHttps = (value: string): boolean => URL.parse(value)?.protocol === 'https:'

/** Whether the text is a scope (RFC 6749, section 3.3). */
export const isScope = (value: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)

/** Whether the text is an IP address or a CIDR range. A range of all addresses (/0) is refused, since it would trust everyone. */
export function isAddressRange(value: string): boolean {
  const [address = '', prefix, ...more] = value.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return more.length === 0 && bits > 0 && (prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits))
}

/** Whether the text is an origin as browsers write it (RFC 6454, section 6.2). */
export const isOrigin = (value: string): boolean => URL.parse(value)?.origin === value && value !== 'null'

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Words that occur only in the names of headers with credentials, or with the identity that a proxy has verified. */
const CREDENTIAL_WORDS =
  /(^|[-_.])(auth|authn|authz|authorization|authentication|authenticated|token|tokens|jwt|assertion|dpop|oidc|apikey|secret|password|passwd|credentials?|cookie2?|session|sessionid|userinfo)($|[-_.])/i
const CREDENTIAL_HEADERS =
  /^(proxy-.*|x-hasura-.*|cf-access-.*|x-goog-iap-.*|x-ms-client-principal.*|x-amz-(?!cf-id$).*|(x-)?forwarded-client-cert|.*(api|access|subscription|functions|private|shared|auth|master)[-_]?key)$/i
const OWN_HEADERS =
  /^(host|connection|content-.*|transfer-encoding|keep-alive|te|trailer|upgrade|expect|accept|accept-encoding|x-request-id|traceparent|tracestate)$/i

/** Whether a header may carry the token to Hasura (a field name of RFC 9110, section 5.1). */
export const isTokenHeader = (name: string): boolean => HEADER_NAME.test(name) && !OWN_HEADERS.test(name) && !/^cookie2?$/i.test(name)

/** Whether a caller's header may be forwarded to Hasura: not a credential, and not a header that the service sets itself. */
const isForwardable = (name: string): boolean =>
  HEADER_NAME.test(name) && !CREDENTIAL_WORDS.test(name) && !CREDENTIAL_HEADERS.test(name) && !OWN_HEADERS.test(name)
