// Parses the head of an answer, strictly, because the head decides where the body ends (RFC 9112, sections 4 to 6).

/** The longest head and the longest trailer, in bytes: Node's default. */
export const HEAD_MAX_BYTES = 16_384
/** How long an idle connection is kept if the answer does not say, in ms. */
export const KEEP_ALIVE_MS = 4_000
/** How long before the announced end an idle connection is closed, in ms, so that no request is sent on a closing connection. */
const KEEP_ALIVE_MARGIN_MS = 2_000
/** The longest that an idle connection is kept, in ms. */
export const KEEP_ALIVE_MAX_MS = 600_000

/** What arrived is not HTTP/1.0 or 1.1 as this client strictly reads it; a retry would not help. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** The head of an answer. */
export type AnswerHead = {
  status: number
  /** By name in lower case, with the first value of each. */
  headers: ReadonlyMap<string, string>
  /** The length of the body in bytes; Infinity if the body ends with the connection. Meaningless for a chunked body. */
  bodyLength: number
  isChunked: boolean
  /** How long the connection may stay open while idle, in ms; 0 if it must be closed. */
  keepAliveMs: number
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/
const FIELD_LINE = /([!#$%&'*+.^_`|~\w-]+):([\t\x20-\x7e\x80-\xff]*)\r\n/y
const LENGTH = /^\d{1,15}$/
const SHORTEST_STATUS_LINE = 'HTTP/1.1 200'

/** Whether a text consists of header field lines and nothing else. */
export function areFieldLines(text: string): boolean {
  for (FIELD_LINE.lastIndex = 0; FIELD_LINE.lastIndex < text.length; ) if (!FIELD_LINE.test(text)) return false
  return true
}

/** Whether a text can be the beginning of header fields and their empty line: tries its last line with the shortest ending. */
export function couldBeFieldLines(text: string): boolean {
  const lastLine = text.slice(text.lastIndexOf('\n') + 1)
  if (lastLine === '' || lastLine === '\r') return areFieldLines(text.slice(0, text.length - lastLine.length))
  return areFieldLines(text + (lastLine.includes(':') ? lineEnd(text) : ':\r\n'))
}

/** Whether a text without an empty line can be the beginning of a head. */
export function couldBeAnswerHead(text: string): boolean {
  const lineFeed = text.indexOf('\n')
  if (lineFeed >= 0) return STATUS_LINE.test(text.slice(0, lineFeed + 1)) && couldBeFieldLines(text.slice(lineFeed + 1))
  const line = text + SHORTEST_STATUS_LINE.slice(text.length)
  return STATUS_LINE.test(line + lineEnd(line))
}

const lineEnd = (text: string) => (text.endsWith('\r') ? '\n' : '\r\n')

/**
 * Parses a head.
 * @param text one character per byte, without the empty line at the end
 * @throws {ProtocolError} if the head is malformed, or ambiguous about the length of the body
 */
export function parseAnswerHead(text: string): AnswerHead {
  const start = STATUS_LINE.exec(text)
  if (start === null) throw new ProtocolError('malformed status line')
  const status = Number(start[2])
  const headers = new Map<string, string>()
  let connection = ''
  let coding: string | undefined
  let length: string | undefined
  FIELD_LINE.lastIndex = start[0].length
  while (FIELD_LINE.lastIndex < text.length) {
    const field = FIELD_LINE.exec(text)
    if (field === null) throw new ProtocolError('malformed header')
    const name = (field[1] as string).toLowerCase()
    const value = withoutBlanks(field[2] as string)
    if (name === 'connection') connection += `,${value}`
    else if (name === 'transfer-encoding') coding = coding === undefined ? value : `${coding},${value}`
    else if (name === 'content-length') length = length === undefined ? value : `${length},${value}`
    if (!headers.has(name)) headers.set(name, value)
  }
  const isChunked = coding !== undefined
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || length !== undefined)) throw new ProtocolError('ambiguous length')
  if (length !== undefined && !LENGTH.test(length)) throw new ProtocolError('malformed content-length')
  const bodyLength = isBodiless(status) ? 0 : Number(length ?? Number.POSITIVE_INFINITY)
  const isLast = start[1] === '0' || (!isChunked && bodyLength === Number.POSITIVE_INFINITY) || CLOSE.test(connection)
  return {
    status,
    headers,
    bodyLength,
    isChunked: isChunked && !isBodiless(status),
    keepAliveMs: isLast ? 0 : keepAliveMs(headers.get('keep-alive'))
  }
}

/** Removes the blanks at both ends; `trim` would also remove bytes that are not blanks in a header (RFC 9110, section 5.5). */
function withoutBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text, from)) from += 1
  while (to > from && isBlank(text, to - 1)) to -= 1
  return text.slice(from, to)
}

const isBlank = (text: string, at: number) => text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09

const isBodiless = (status: number) => status < 200 || status === 204 || status === 304

const CLOSE = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i
const TIMEOUT_SECONDS = /(?:^|[,;])[\t ]*timeout[\t ]*=[\t ]*(\d{1,9})/i

function keepAliveMs(hint: string | undefined): number {
  const seconds = hint === undefined ? undefined : TIMEOUT_SECONDS.exec(hint)?.[1]
  if (seconds === undefined) return KEEP_ALIVE_MS
  return Math.min(Math.max(Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS, 0), KEEP_ALIVE_MAX_MS)
}
