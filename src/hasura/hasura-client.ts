// One call of Hasura: a token, a few tries, an answer passed through as it came, and every fault under its code.
import { GatewayError } from '../errors.ts'
import { ProtocolError } from '../http1/answer-head.ts'
import { ConnectionPool } from '../http1/connection-pool.ts'
import { createHeadWriter } from './request-head.ts'
import { type Refusal, readRefusal } from './token-rejection.ts'
import { type AttemptError, attempt, type Cancellation, AttemptError as FailedAttempt, type UpstreamAnswer } from './upstream-attempt.ts'

/** How often a request is sent again that never reached Hasura. */
export const CONNECT_RETRIES = 2
/** How often a query is sent again whose connection broke, or that was answered 502, 503 or 504. */
export const QUERY_RETRIES = 1
/** The wait before another try is drawn between these, in ms. */
export const RETRY_DELAY_MIN_MS = 50
export const RETRY_DELAY_MAX_MS = 250
/** The longest that making one connection may take, in ms. */
export const CONNECT_TIMEOUT_MS = 5_000

const RETRIED_STATUS = new Set([502, 503, 504])

/** Where the tokens come from: the token manager. */
export type TokenSource = {
  getToken(waitMs: number): string | Promise<string>
  rejectToken(refused: string, waitMs: number): Promise<string | undefined>
}

/**
 * Makes a call out within a span: `call` gets the header fields, names and values in turn, that carry the trace on; `statusOf` tells the
 * status of its answer.
 */
export type TraceCall = <T>(url: string, call: (headers: readonly string[]) => Promise<T>, statusOf?: (answer: T) => number) => Promise<T>

/** What the client is made with. */
export type HasuraClientOptions = {
  /** URL of the GraphQL endpoint. */
  endpoint: string
  /** `Authorization` sends `Bearer <jwt>`; any other header carries the bare JWT. */
  tokenHeader: string
  /** For one call, retries and replay included, in ms; see {@link attempt} for what it means to a large answer. */
  timeoutMs: number
  /** Most sockets to Hasura. */
  connections: number
  tokens: TokenSource
  /** Default: no spans. */
  traceCall?: TraceCall | undefined
  /** Told of each further try and why it is made. */
  onRetry?: (reason: RetryReason) => void
  /** Told of each token that Hasura refused. */
  onRefusal?: (refusal: Refusal) => void
  /** Numbers from 0 up to 1; default Math.random. */
  random?: () => number
}

/** Why a request is sent again. */
export type RetryReason = 'connect' | 'broken' | 'status' | 'token'

/** One operation, checked and written anew. */
export type HasuraRequest = {
  /** The JSON body. */
  body: string
  /** Only a query may be sent again once Hasura may have seen it. */
  isQuery: boolean
  /** Names and values in turn, beside what the client sets itself. */
  headers: readonly string[]
  cancellation: Cancellation
}

/**
 * A client of Hasura on a pool of its own. `execute(request)` gives the answer or throws a {@link GatewayError}: `TOKEN_UNAVAILABLE`,
 * `UPSTREAM_REJECTED_TOKEN`, `UPSTREAM_UNREACHABLE`, `UPSTREAM_INVALID_RESPONSE`, `UPSTREAM_TIMEOUT`; an {@link AttemptError} with
 * reason `cancelled` where the caller left. `close()` cuts every connection.
 */
export function createHasuraClient(options: HasuraClientOptions) {
  const { endpoint, tokenHeader, timeoutMs, connections, tokens, traceCall, onRetry, onRefusal, random = Math.random } = options
  const pool = new ConnectionPool(targetOf(endpoint), connections)
  const writeHead = createHeadWriter(endpoint, tokenHeader)

  const sendUntraced = ({ headers, body, cancellation }: HasuraRequest, token: string, waitMs: number) =>
    attempt(pool, writeHead(token, headers), body, waitMs, cancellation)

  const sendOnce = (request: HasuraRequest, token: string, waitMs: number): Promise<UpstreamAnswer> => {
    if (!traceCall) return sendUntraced(request, token, waitMs)
    const send = (headers: readonly string[]) => sendUntraced({ ...request, headers: [...request.headers, ...headers] }, token, waitMs)
    return traceCall(endpoint, send, ({ status }) => status)
  }

  /** Sends a request as often as it may be sent, `first` being the outcome of the first try where that has been made. */
  const send = async (request: HasuraRequest, token: string, deadlineMs: number, first?: Outcome): Promise<UpstreamAnswer> => {
    let connectRetries = CONNECT_RETRIES
    let queryRetries = request.isQuery ? QUERY_RETRIES : 0
    for (let outcome = first; ; outcome = undefined) {
      outcome ??= await sendOnce(request, token, remaining(deadlineMs)).catch(asAttemptError)
      const reason = retryReason(outcome)
      if (reason === undefined || (reason === 'connect' ? connectRetries-- : queryRetries--) <= 0) return answerOf(outcome)
      const delayMs = RETRY_DELAY_MIN_MS + random() * (RETRY_DELAY_MAX_MS - RETRY_DELAY_MIN_MS)
      if (performance.now() + delayMs >= deadlineMs) return answerOf(outcome)
      if (!(outcome instanceof FailedAttempt)) outcome.stream?.destroy()
      onRetry?.(reason)
      await pause(delayMs, request.cancellation)
    }
  }

  const execute = (request: HasuraRequest): Promise<UpstreamAnswer> => {
    const deadlineMs = performance.now() + timeoutMs
    const token = tokens.getToken(timeoutMs)
    return typeof token === 'string' ? executeWith(request, token, deadlineMs) : token.then(late => executeWith(request, late, deadlineMs))
  }

  /** Nearly every call ends with its first answer; only one that does not pays for what `settle` has to do. */
  const executeWith = (request: HasuraRequest, token: string, deadlineMs: number): Promise<UpstreamAnswer> => {
    const onOutcome = (outcome: Outcome) => (isFinal(outcome) ? outcome : settle(request, token, deadlineMs, outcome))
    return sendOnce(request, token, remaining(deadlineMs)).then(onOutcome, (error: unknown) => onOutcome(asAttemptError(error)))
  }

  const settle = async (request: HasuraRequest, token: string, deadlineMs: number, first: Outcome): Promise<UpstreamAnswer> => {
    const answer = await send(request, token, deadlineMs, first)
    const refusal = refusalIn(answer)
    if (refusal === undefined) return assertJson(answer)
    onRefusal?.(refusal)
    const renewed = refusal.isRenewable ? await tokens.rejectToken(token, remaining(deadlineMs)) : undefined
    if (renewed === undefined) throw rejected(refusal)
    onRetry?.('token')
    const second = await send(request, renewed, deadlineMs)
    const secondRefusal = refusalIn(second)
    if (secondRefusal === undefined) return assertJson(second)
    onRefusal?.(secondRefusal)
    throw rejected(secondRefusal)
  }

  return { execute, close: () => pool.close() }
}

/** A client of Hasura, as {@link createHasuraClient} makes it. */
export type HasuraClient = ReturnType<typeof createHasuraClient>

function targetOf(endpoint: string) {
  const { protocol, hostname, port } = new URL(endpoint)
  const isSecure = protocol === 'https:'
  return { isSecure, hostname, port: Number(port || (isSecure ? 443 : 80)), connectTimeoutMs: CONNECT_TIMEOUT_MS }
}

/** What came of one try. */
type Outcome = UpstreamAnswer | AttemptError

/** Whether an outcome is an answer that goes to the caller as it is. */
function isFinal(outcome: Outcome): outcome is UpstreamAnswer {
  if (outcome instanceof FailedAttempt || RETRIED_STATUS.has(outcome.status)) return false
  return isJsonAnswer(outcome) && readRefusal(outcome.status, outcome.headers.get('content-encoding'), outcome.head) === undefined
}

const remaining = (deadlineMs: number) => Math.max(1, deadlineMs - performance.now())

function asAttemptError(error: unknown): AttemptError {
  if (error instanceof FailedAttempt) return error
  throw error
}

function retryReason(outcome: Outcome): RetryReason | undefined {
  if (!(outcome instanceof FailedAttempt)) return RETRIED_STATUS.has(outcome.status) ? 'status' : undefined
  if (outcome.reason !== 'broken' || isNoHttp(outcome)) return undefined
  return outcome.phase === 'unsent' ? 'connect' : 'broken'
}

function answerOf(outcome: Outcome): UpstreamAnswer {
  if (!(outcome instanceof FailedAttempt)) return outcome
  if (outcome.reason === 'cancelled') throw outcome
  if (outcome.reason === 'timeout') throw new GatewayError('UPSTREAM_TIMEOUT', { cause: outcome })
  const isInvalid = outcome.phase === 'answered' || isNoHttp(outcome)
  throw new GatewayError(isInvalid ? 'UPSTREAM_INVALID_RESPONSE' : 'UPSTREAM_UNREACHABLE', { cause: outcome })
}

/** What came was no HTTP, or a head beyond 16 KiB: the peer answered, but not in a way that another try would mend. */
const isNoHttp = ({ cause }: AttemptError) => cause instanceof ProtocolError

function pause(delayMs: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      cancellation.listen(undefined)
      resolve()
    }, delayMs)
    cancellation.listen(() => {
      clearTimeout(timer)
      reject(new FailedAttempt('unsent', 'cancelled'))
    })
  })
}

function refusalIn(answer: UpstreamAnswer): Refusal | undefined {
  const refusal = readRefusal(answer.status, answer.headers.get('content-encoding'), answer.head)
  if (refusal) answer.stream?.destroy()
  return refusal
}

const rejected = ({ message }: Refusal) =>
  new GatewayError('UPSTREAM_REJECTED_TOKEN', { message: `Hasura refused the service's token: ${message}` })

const JSON_CONTENT_TYPE = /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i

/** Whether an answer can be JSON: by its content type, and by how its body begins and ends. */
function isJsonAnswer(answer: UpstreamAnswer): boolean {
  // A status above 599 is none (RFC 9110, section 15), and Fastify would not send it.
  if (answer.status > 599) return false
  const isTyped = JSON_CONTENT_TYPE.test(answer.headers.get('content-type') ?? '')
  return isTyped && (answer.headers.get('content-encoding') !== undefined || looksLikeJson(answer))
}

function assertJson(answer: UpstreamAnswer): UpstreamAnswer {
  if (isJsonAnswer(answer)) return answer
  answer.stream?.destroy()
  throw new GatewayError('UPSTREAM_INVALID_RESPONSE')
}

function looksLikeJson({ head, stream }: UpstreamAnswer): boolean {
  const text = head.toString('latin1', 0, 1) + (stream ? '}' : head.toString('latin1', head.length - 1))
  return text === '{}' || isJson(head, stream !== undefined)
}

/** The rare case that is worth parsing for: white space around the object, or JSON that is no object. */
function isJson(head: Buffer, isCutOff: boolean): boolean {
  if (isCutOff) return /^\s*[{[]/.test(head.toString('latin1', 0, 1024))
  try {
    JSON.parse(head.toString())
    return true
  } catch {
    return false
  }
}
