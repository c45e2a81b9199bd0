// One exchange of client credentials for a token: the bounded request and what both ways of asking for a token share.
import { ProtocolError } from '../http1/answer-head.ts'
import { AttemptError } from '../http1/attempt-error.ts'
import { writeFields } from '../http1/header-fields.ts'
import { createHttpClient } from '../http1/http-client.ts'
import { HOLD_MAX_BYTES } from '../http1/pending-answer.ts'
import type { ProxyServer } from '../http1/tunnel.ts'
import type { TokenAnswer } from './access-token.ts'
import { type AddressSetting, ExchangeError, type ExchangeFaultCode } from './exchange-error.ts'
import { readRetryAfter } from './retry-after.ts'

/** The longest that one exchange may take, in ms. */
const EXCHANGE_TIMEOUT_MS = 10_000
/** The largest answer that is read, in bytes: beyond it the client gives a stream. */
export const ANSWER_MAX_BYTES = HOLD_MAX_BYTES
/** The status by which a proxy asks for other credentials (RFC 9110, section 15.5.8). */
const PROXY_AUTHENTICATION_REQUIRED = 407

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

/**
 * Creates a client that makes one request for each call: no cache, no retry, no redirect. `exchange(secret)` returns the token or throws an
 * {@link ExchangeError}; `close()` cuts the connections of exchanges under way.
 */
export function createTokenExchange(tokenRequest: TokenRequest, { timeoutMs = EXCHANGE_TIMEOUT_MS, proxy }: ExchangeOptions) {
  const { url, addressSetting } = tokenRequest
  const fields = writeFields(Object.entries(tokenRequest.headers).flat())
  const closing = new AbortController()

  const post = async (body: string) => {
    // Exchanges are too far apart to share a connection, and a proxy that keeps a tunnel waiting must not hold up the next one.
    const client = createHttpClient({ url, connections: 1, connectTimeoutMs: timeoutMs, proxy })
    try {
      const { status, headers, head, stream } = await client.request({ fields, body, timeoutMs, signal: closing.signal })
      if (proxy && status === PROXY_AUTHENTICATION_REQUIRED) throw new Error('the proxy answered with status 407')
      stream?.destroy()
      return { status, header: (name: string) => headers.get(name), text: stream ? '' : head.toString() }
    } finally {
      client.close()
    }
  }

  const exchange = async (secret: string): Promise<Exchange> => {
    const answer = await post(tokenRequest.bodyFor(secret)).catch(error => {
      throw transportError(error, addressSetting)
    })
    return interpret(tokenRequest, answer)
  }

  return { url, exchange, close: () => closing.abort() }
}

/** A client as {@link createTokenExchange} makes it. */
export type TokenExchange = ReturnType<typeof createTokenExchange>

function transportError(error: unknown, addressSetting: AddressSetting): ExchangeError {
  if (!(error instanceof AttemptError)) return new ExchangeError('unreachable', { cause: error, addressSetting })
  const cause = error.cause ?? error
  if (error.reason === 'timeout') return new ExchangeError('timeout', { cause, addressSetting })
  return new ExchangeError(cause instanceof ProtocolError ? 'invalid_response' : 'unreachable', { cause, addressSetting })
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
