// Sends the same bytes to this client and to undici: what this client accepts, undici accepts with the same body.
import { createServer } from 'node:net'
import { Agent, request } from 'undici'
import { createHttpClient } from '../../src/http1/http-client.ts'
import { listen } from './listen.ts'

/** What the fuzz found. */
type FuzzResult = {
  answers: number
  /** How many both accepted. */
  bothAccept: number
  /** How many this client alone refused. */
  weRefuse: number
  /** How many undici alone refused, for a listed reason. */
  listed: number
  /** What this client accepted and undici refused or read otherwise, for no listed reason. */
  wrong: string[]
}

/** The reasons for which this client may accept what undici refuses. */
const LISTED: readonly RegExp[] = [
  // undici refuses an unexpected 100; RFC 9110, section 15.2, requires a client to parse interim responses that it does not expect.
  /^HTTP\/1\.[01] 100/,
  /\r\n\r\nHTTP\/1\.[01] 100/,
  // RFC 9112, section 7.1.1, allows blanks before the semicolon of a chunk extension, around its name and around its equals sign.
  /\r\n[0-9a-fA-F]+(?:[\t ]+;|;[^\r\n]*[\t ])[^\r\n]*\r\n/
]

const PARTS = [
  'HTTP/1.1 200 OK',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 204',
  'HTTP/1.1 304 X',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 2',
  'HTTP/1.x',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  ';',
  '=',
  '"',
  ',',
  '\\',
  '\u0000',
  '\u00ff',
  'content-length: 5\r\n',
  'Content-Length: 0\r\n',
  'content-length:5 \r\n',
  'content-length: +5\r\n',
  'content-length: 5, 5\r\n',
  'transfer-encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'transfer-encoding: identity\r\n',
  'connection: close\r\n',
  'x: y\r\n',
  ' folded\r\n',
  'a b: c\r\n',
  '\r\n\r\n',
  'hello',
  '5\r\nhello\r\n',
  '5;a=b\r\nhello\r\n',
  '5 ;a="b c"\r\nhello\r\n',
  '0\r\n\r\n',
  '0\r\nx: y\r\n\r\n'
] as const

const STARTS = [
  'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b;c="d"\r\nhello\r\n0\r\nx: y\r\n\r\n',
  'HTTP/1.1 200 OK\r\nx: y\r\nconnection: close\r\n\r\nhello',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
] as const

/** A seeded generator of numbers below a bound (Park and Miller's). */
function numbersFrom(seed: number): (bound: number) => number {
  let state = (seed % 2_147_483_646) + 1
  return bound => {
    state = (state * 48_271) % 2_147_483_647
    return state % bound
  }
}

/** An answer with some of its bytes replaced, removed or added. */
function mutant(below: (bound: number) => number): string {
  let text: string = STARTS[below(STARTS.length)] ?? ''
  for (let n = below(3); n >= 0; n -= 1) {
    const at = below(text.length + 1)
    text = text.slice(0, at) + (below(4) === 0 ? '' : (PARTS[below(PARTS.length)] ?? '')) + text.slice(at + (below(2) === 0 ? 0 : below(6)))
  }
  return text
}

/**
 * Sends this many answers to both, each on a separate connection that is closed after it.
 * @param tell called now and then with the count so far
 */
export async function fuzzHttp(count: number, seed: number, tell: (answers: number) => void = () => {}): Promise<FuzzResult> {
  const below = numbersFrom(seed)
  let bytes = ''
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(bytes, 'latin1'))
  })
  const url = `http://127.0.0.1:${await listen(server)}/`
  const result: FuzzResult = { answers: 0, bothAccept: 0, weRefuse: 0, listed: 0, wrong: [] }
  for (; result.answers < count; result.answers += 1) {
    bytes = mutant(below)
    const [ours, theirs] = [await askOurs(url), await askUndici(url)]
    if (ours === undefined) result.weRefuse += theirs === undefined ? 0 : 1
    else if (ours === theirs) result.bothAccept += 1
    else if (theirs === undefined && LISTED.some(pattern => pattern.test(bytes))) result.listed += 1
    else result.wrong.push(JSON.stringify({ bytes, ours, theirs }))
    if (result.answers % 1_000 === 0) tell(result.answers)
  }
  server.close()
  return result
}

/** Status and body; undefined if the answer is refused. */
async function askOurs(url: string): Promise<string | undefined> {
  const client = createHttpClient({ url, connections: 1 })
  try {
    const { status, head } = await client.request({ fields: '', body: 'x', timeoutMs: 10_000, signal: AbortSignal.timeout(20_000) })
    return `${status} ${head.toString('latin1')}`
  } catch {
    return undefined
  } finally {
    client.close()
  }
}

async function askUndici(url: string): Promise<string | undefined> {
  const dispatcher = new Agent({ pipelining: 0 })
  try {
    const { statusCode, body } = await request(url, { method: 'POST', body: 'x', dispatcher, bodyTimeout: 10_000, headersTimeout: 10_000 })
    return `${statusCode} ${Buffer.from(await body.arrayBuffer()).toString('latin1')}`
  } catch {
    return undefined
  } finally {
    await dispatcher.destroy()
  }
}
