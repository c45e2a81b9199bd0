// Exchanges client credentials for a token: the bounded request and the error handling that the token endpoint and the API share.
import { ProtocolError } from '../http1/answer-head.ts'
import { AttemptError } from '../http1/attempt-error.ts'
import { writeFields } from '../http1/header-fields.ts'
import { createHttpClient } from '../http1/http-client.ts'
import type { ProxyServer } from '../http1/tunnel.ts'
import type { TokenAnswer } from './access-token.ts'
import { type AddressSetting, ExchangeError, type ExchangeFaultCode } from './exchange-error.ts'
import { readRetryAfter } from './retry-after.ts'

/** Time limit for one request to Cognito, in ms. */
const EXCHANGE_TIMEOUT_MS = 10_000
/** The status with which a proxy asks for credentials (RFC 9110, section 15.5.8). */
const PROXY_AUTHENTICATION_REQUIRED = 407

/** A token, and what an operator may want to know about its exchange. */
export type Exchange = TokenAnswer & {
  /** The answer's `Date`, compared with this machine's clock. */
  date: string | undefined
  /** Cognito's own id of the request, for AWS support. */
  cognitoRequestId: string | undefined
}

/** An answer before it is interpreted; `json` is undefined if the body is not JSON or too large. */
export type RawAnswer = { status: number; header: (name: string) => string | undefined; json: unknown }

/** How to request a token and read the answer. */
type TokenRequest = {
  url: string
  headers: Readonly<Record<string, string>>
  /** The setting that holds the URL; error messages name it. */
  addressSetting: AddressSetting
  /** The response header with Cognito's request id. */
  requestIdHeader: string
  bodyFor(secret: string): string
  /** Reads the JSON of a 200; undefined if it is not a token. */
  readToken(json: unknown): TokenAnswer | undefined
  /** Returns the fault that an answer below 500 reports; undefined if it reports none. */
  readFault(answer: RawAnswer): ExchangeFaultCode | undefined
}

/** What a token is asked for with, and the options of the connection to Cognito. */
export type ExchangeOptions = {
  clientId: string
  /** With none, every enabled scope is granted. */
  scopes: readonly string[]
  /** For the pre-token-generation Lambda. */
  clientMetadata?: Readonly<Record<string, string>> | undefined
  /** Time limit for the request, in ms; default {@link EXCHANGE_TIMEOUT_MS}. */
  timeoutMs?: number | undefined
  /** The proxy to use: through a tunnel for an https URL; a request for an http URL goes to the proxy itself. Default: none. */
  proxy?: ProxyServer | undefined
}

/**
 * Creates a client that sends one request per call: no cache, no retries, no redirects. `exchange(secret)` returns the token or throws an
 * {@link ExchangeError}; `close()` aborts exchanges under way.
 */
export function createTokenExchange(tokenRequest: TokenRequest, { timeoutMs = EXCHANGE_TIMEOUT_MS, proxy }: ExchangeOptions) {
  const { url, addressSetting } = tokenRequest
  const fields = writeFields(Object.entries(tokenRequest.headers).flat())
  const closing = new AbortController()

  const post = async (body: string) => {
    // A new client each time: exchanges are too far apart to share a connection, and a slow proxy must not hold up the next one.
    const client = createHttpClient({ url, connections: 1, connectTimeoutMs: timeoutMs, proxy })
    try {
      const { status, headers, head, stream } = await client.request({ fields, body, timeoutMs, signal: closing.signal })
      if (proxy && status === PROXY_AUTHENTICATION_REQUIRED) throw new Error('the proxy answered with status 407')
      // Beyond what the client holds at once nothing is read.
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

/** The client that {@link createTokenExchange} returns. */
export type TokenExchange = ReturnType<typeof createTokenExchange>

function transportError(error: unknown, addressSetting: AddressSetting): ExchangeError {
  if (!(error instanceof AttemptError)) return new ExchangeError('unreachable', { cause: error, addressSetting })
  const cause = error.cause ?? error
  if (error.reason === 'timeout') return new ExchangeError('timeout', { cause, addressSetting })
  return new ExchangeError(cause instanceof ProtocolError ? 'invalid_response' : 'unreachable', { cause, addressSetting })
}

/** Cognito's request ids are UUIDs. Since they are logged, anything else is ignored: a broken peer could echo the secret there. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Returns the token in an answer, or throws the fault that the answer reports. */
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
