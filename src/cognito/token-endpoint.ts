// Exchanges client credentials for a token, once: no cache, no retry, no timer.
import { Agent, errors, request } from 'undici'
import { readTokenAnswer, type TokenAnswer } from './access-token.ts'
import { CONFIGURATION_FAULTS, ExchangeError } from './exchange-error.ts'
import { readRetryAfter } from './retry-after.ts'

/** The longest that one exchange may take, in ms. */
const EXCHANGE_TIMEOUT_MS = 10_000
/** The largest answer that is read, in bytes. */
export const ANSWER_MAX_BYTES = 65_536

/** What an exchange needs. */
type TokenEndpointOptions = {
  /** URL of the user pool domain, with or without a slash at its end. */
  domain: string
  clientId: string
  /** Scopes with spaces between them; unset means that every enabled scope is granted. */
  scopes?: string | undefined
  /** In ms; default {@link EXCHANGE_TIMEOUT_MS}. */
  timeoutMs?: number
}

/** A token, and what came with it that an operator may want to see. */
export type Exchange = TokenAnswer & {
  /** The answer's `Date`, to notice a clock that is off. */
  date: string | undefined
  /** Cognito's own id of the request, for AWS support. */
  cognitoRequestId: string | undefined
}

/** The answer of the token endpoint before it is interpreted; an answer over the bound has an empty body. */
type RawAnswer = { status: number; header: (name: string) => string | undefined; body: string }

/**
 * A client of the token endpoint `<domain>/oauth2/token`. `exchange(secret)` makes one request with the `client_credentials` grant
 * (RFC 6749, section 4.4), `client_secret_post`, and returns the token or throws an {@link ExchangeError}. `close()` cuts its connection;
 * `url` is the address of the endpoint.
 */
export function createTokenEndpoint(options: TokenEndpointOptions) {
  const { domain, clientId, scopes, timeoutMs = EXCHANGE_TIMEOUT_MS } = options
  const url = `${new URL(domain).href.replace(/\/+$/, '')}/oauth2/token`
  const agent = new Agent({ connections: 1, allowH2: false, connect: { timeout: timeoutMs } })

  const ask = async (secret: string, signal: AbortSignal): Promise<RawAnswer> => {
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret })
    if (scopes) form.set('scope', scopes)
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      dispatcher: agent,
      signal
    })
    const header = (name: string) => [answer.headers[name]].flat()[0]
    return { status: answer.statusCode, header, body: await readBounded(answer.body) }
  }

  const exchange = async (secret: string): Promise<Exchange> => {
    const signal = AbortSignal.timeout(timeoutMs)
    const answer = await ask(secret, signal).catch(cause => {
      throw transportError(cause, signal.aborted)
    })
    return interpret(answer)
  }

  return { url, exchange, close: () => agent.destroy() }
}

/** A client of the token endpoint, as {@link createTokenEndpoint} makes it. */
export type TokenEndpoint = ReturnType<typeof createTokenEndpoint>

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

function transportError(cause: unknown, isTimedOut: boolean): ExchangeError {
  if (isTimedOut || cause instanceof errors.ConnectTimeoutError) return new ExchangeError('timeout', { cause })
  // undici's parser error holds a piece of what was received, which may be a token, so it goes no further.
  if (cause instanceof errors.HTTPParserError) return new ExchangeError('invalid_response')
  return new ExchangeError(cause instanceof errors.HeadersOverflowError ? 'invalid_response' : 'unreachable', { cause })
}

/** The id is logged, so nothing but a UUID is taken for one: a broken peer could echo the secret there. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Returns the token of an answer, or throws the kind of failure that it stands for. */
function interpret({ status, header, body }: RawAnswer): Exchange {
  const json = parseJson(body)
  const cognitoRequestId = UUID.exec(header('x-amz-cognito-request-id') ?? '')?.[0]
  const token = status === 200 ? readTokenAnswer(json) : undefined
  if (token) return { ...token, date: header('date'), cognitoRequestId }
  const retryAfterMs = readRetryAfter(header('retry-after'), header('date'), Date.now())
  throw new ExchangeError(faultOf(status, body, json), { retryAfterMs, status, cognitoRequestId })
}

function faultOf(status: number, body: string, json: unknown): ExchangeError['code'] {
  if (status === 429 || body.includes('TooManyRequests')) return 'throttled'
  if (status >= 500) return 'server_error'
  const code = status >= 400 && typeof json === 'object' && json !== null && 'error' in json ? json.error : undefined
  return isOauthFault(code) ? code : 'invalid_response'
}

const isOauthFault = (code: unknown): code is keyof typeof CONFIGURATION_FAULTS =>
  typeof code === 'string' && Object.hasOwn(CONFIGURATION_FAULTS, code) && code !== 'secret_unreadable'

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
