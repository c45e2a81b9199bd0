// One exchange of client credentials for a token: the bounded request and what both ways of asking for a token share.
import { Agent, type Dispatcher, errors, ProxyAgent, request } from 'undici'
import type { TokenAnswer } from './access-token.ts'
import { type AddressSetting, ExchangeError, type ExchangeFaultCode } from './exchange-error.ts'
import { readRetryAfter } from './retry-after.ts'

/** The longest that one exchange may take, in ms. */
const EXCHANGE_TIMEOUT_MS = 10_000
/** The largest answer that is read, in bytes. */
export const ANSWER_MAX_BYTES = 65_536

/** A token, and what came with it that an operator may want to see. */
export type Exchange = TokenAnswer & {
  /** The answer's `Date`, to notice a clock that is off. */
  date: string | undefined
  /** Cognito's own id of the request, for AWS support. */
  cognitoRequestId: string | undefined
}

/** What an answer says before it is interpreted; `json` is undefined where the body is no JSON or over the bound. */
export type RawAnswer = { status: number; header: (name: string) => string | undefined; json: unknown }

/** How a token is asked for, and how the answer is read. */
export type TokenRequest = {
  url: string
  headers: Readonly<Record<string, string>>
  /** The setting that holds the address, as the advice of an error names it. */
  addressSetting: AddressSetting
  /** The header that carries Cognito's id of the request. */
  requestIdHeader: string
  bodyFor(secret: string): string
  /** Reads the JSON of a 200. */
  readToken(json: unknown): TokenAnswer | undefined
  /** Names the fault of an answer below 500; undefined where it names none. */
  readFault(answer: RawAnswer): ExchangeFaultCode | undefined
}

/** How the way to Cognito is made. */
export type ExchangeOptions = {
  /** For the whole exchange, in ms; default {@link EXCHANGE_TIMEOUT_MS}. */
  timeoutMs?: number | undefined
  /** A proxy on the way: a tunnel to an https URL, while a request for an http URL goes to the proxy itself. Default: none. */
  proxy?: ProxyServer | undefined
}

/** Where a proxy listens. */
type ProxyServer = {
  isSecure: boolean
  hostname: string
  port: number
  /** What `Proxy-Authorization` carries. */
  authorization?: string | undefined
}

/**
 * Creates a client that makes one request for each call: no cache, no retry, no redirect. `exchange(secret)` returns the token or throws an
 * {@link ExchangeError}; `close()` cuts the connections of exchanges under way.
 */
export function createTokenExchange(tokenRequest: TokenRequest, { timeoutMs = EXCHANGE_TIMEOUT_MS, proxy }: ExchangeOptions) {
  const { url, headers, addressSetting } = tokenRequest
  const dispatchers = new Set<Dispatcher>()

  const post = async (body: string, signal: AbortSignal) => {
    // Exchanges are too far apart to share a connection, and a proxy that keeps a tunnel waiting must not hold up the next one.
    const dispatcher = createDispatcher(timeoutMs, proxy)
    dispatchers.add(dispatcher)
    // undici heeds a signal only once it is connected, and knows no end of waiting for a tunnel.
    signal.addEventListener('abort', () => void dispatcher.destroy(), { once: true })
    try {
      return await read(await request(url, { method: 'POST', headers, body, dispatcher, signal }))
    } finally {
      dispatchers.delete(dispatcher)
      void dispatcher.destroy()
    }
  }

  const read = async (answer: Dispatcher.ResponseData) => {
    const header = (name: string) => [answer.headers[name]].flat()[0]
    return { status: answer.statusCode, header, text: await readBounded(answer.body) }
  }

  const exchange = async (secret: string): Promise<Exchange> => {
    const signal = AbortSignal.timeout(timeoutMs)
    const answer = await post(tokenRequest.bodyFor(secret), signal).catch(cause => {
      throw transportError(cause, signal.aborted, addressSetting)
    })
    return interpret(tokenRequest, answer)
  }

  return { url, exchange, close: async () => void (await Promise.all([...dispatchers].map(dispatcher => dispatcher.destroy()))) }
}

/** A client as {@link createTokenExchange} makes it. */
export type TokenExchange = ReturnType<typeof createTokenExchange>

function createDispatcher(timeoutMs: number, proxy: ProxyServer | undefined): Dispatcher {
  const options = { connections: 1, allowH2: false, connect: { timeout: timeoutMs } }
  if (proxy === undefined) return new Agent(options)
  const { isSecure, hostname, port, authorization } = proxy
  const uri = `${isSecure ? 'https' : 'http'}://${hostname}:${port}`
  return new ProxyAgent({ ...options, uri, connectTimeout: timeoutMs, ...(authorization && { token: authorization }) })
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > ANSWER_MAX_BYTES) return ''
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function transportError(cause: unknown, isTimedOut: boolean, addressSetting: AddressSetting): ExchangeError {
  if (isTimedOut || cause instanceof errors.ConnectTimeoutError) return new ExchangeError('timeout', { cause, addressSetting })
  // undici's parser error holds a piece of what was received, which may be a token, so it goes no further.
  if (cause instanceof errors.HTTPParserError) return new ExchangeError('invalid_response', { addressSetting })
  const code = cause instanceof errors.HeadersOverflowError ? 'invalid_response' : 'unreachable'
  return new ExchangeError(code, { cause, addressSetting })
}

/** The id is logged, so nothing but a UUID is taken for one: a broken peer could echo the secret there. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Returns the token of an answer, or throws the kind of failure that it stands for. */
function interpret(tokenRequest: TokenRequest, { status, header, text }: Omit<RawAnswer, 'json'> & { text: string }): Exchange {
  const { addressSetting, requestIdHeader } = tokenRequest
  const json = parseJson(text)
  const cognitoRequestId = UUID.exec(header(requestIdHeader) ?? '')?.[0]
  const token = status === 200 ? tokenRequest.readToken(json) : undefined
  if (token) return { ...token, date: header('date'), cognitoRequestId }
  const retryAfterMs = readRetryAfter(header('retry-after'), header('date'), Date.now())
  const code = commonFaultOf(status, text) ?? tokenRequest.readFault({ status, header, json }) ?? 'invalid_response'
  throw new ExchangeError(code, { retryAfterMs, status, cognitoRequestId, addressSetting })
}

function commonFaultOf(status: number, text: string): ExchangeFaultCode | undefined {
  if (status === 429 || text.includes('TooManyRequests')) return 'throttled'
  return status >= 500 ? 'server_error' : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
