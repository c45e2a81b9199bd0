// Calls Hasura with a token: retries within limits, returns the answer unchanged, and maps every failure to an error code.
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../errors.ts'
import { AttemptError } from '../http1/attempt-error.ts'
import { writeFields } from '../http1/header-fields.ts'
import { createHttpClient } from '../http1/http-client.ts'
import type { Answer } from '../http1/pending-answer.ts'
import type { ProxyServer } from '../http1/tunnel.ts'
import { isJsonAnswer } from './json-answer.ts'
import {
  isNotHttp,
  type Outcome,
  RETRY_DELAY_MAX_MS,
  RETRY_DELAY_MIN_MS,
  type RetryReason,
  retriesOf,
  retryReason
} from './retry-policy.ts'
import { type Refusal, readRefusal } from './token-rejection.ts'

/** An answer of Hasura. */
export type UpstreamAnswer = Answer

/** The source of tokens: the token manager. */
export type TokenSource = {
  getToken(waitMs: number): string | Promise<string>
  rejectToken(refused: string, waitMs: number): Promise<string | undefined>
}

/**
 * Makes an outgoing call within a span: `call` gets the header fields that propagate the trace, names and values alternating; `statusOf`
 * returns the status of the answer.
 */
export type TraceCall = <T>(url: string, call: (headers: readonly string[]) => Promise<T>, statusOf?: (answer: T) => number) => Promise<T>

/** Options of {@link createHasuraClient}. */
export type HasuraClientOptions = {
  /** URL of the GraphQL endpoint. */
  endpoint: string
  /** The name of the header that carries the token. */
  tokenHeader: string
  /** Time limit in ms: for one call, all attempts included, until the end of the answer or its first 64 KiB; then for each silence. */
  timeoutMs: number
  /** The maximum number of connections to Hasura. */
  connections: number
  /** A proxy in front of Hasura; default: none. */
  proxy?: ProxyServer | undefined
  tokens: TokenSource
  /** Default: no spans. */
  traceCall?: TraceCall | undefined
  /** Called before each retry. */
  onRetry?: (reason: RetryReason) => void
  /** Called for each token that Hasura refuses. */
  onRefusal?: (refusal: Refusal) => void
  /** Numbers from 0 up to 1; default Math.random. */
  random?: () => number
}

/** The request for one checked operation. */
export type HasuraRequest = {
  /** The JSON body. */
  body: string
  /** Whether the operation is a query; nothing else is retried once Hasura may have received it. */
  isQuery: boolean
  /** Names and values, alternating, in addition to those that the client sets. */
  headers: readonly string[]
  /** When the time limit started, as `performance.now()`; default: now. */
  startedAtMs?: number
  /** Cancels the call when its caller leaves; once the answer streams, destroy the stream instead. */
  signal: AbortSignal
}

/**
 * Creates a Hasura client with its own connection pool. `execute(request)` returns the answer. It throws a {@link GatewayError}
 * `TOKEN_UNAVAILABLE`, `UPSTREAM_REJECTED_TOKEN`, `UPSTREAM_UNREACHABLE`, `UPSTREAM_INVALID_RESPONSE` or `UPSTREAM_TIMEOUT`; or an
 * {@link AttemptError} with reason `cancelled` if the caller left. `close()` closes every connection.
 */
export function createHasuraClient(options: HasuraClientOptions) {
  const { endpoint, tokenHeader, timeoutMs, connections, proxy, tokens, traceCall, onRetry, onRefusal, random = Math.random } = options
  const client = createHttpClient({ url: endpoint, connections, proxy })
  const commonFields = createCommonFields(tokenHeader)

  const attempt = ({ body, headers, signal }: HasuraRequest, token: string, deadlineMs: number): Promise<UpstreamAnswer> => {
    const send = (traceHeaders: readonly string[]) => {
      const fields = commonFields(token) + writeFields(headers) + writeFields(traceHeaders)
      return client.request({ fields, body, timeoutMs: remaining(deadlineMs), pauseMaxMs: timeoutMs, signal })
    }
    return traceCall ? traceCall(endpoint, send, ({ status }) => status) : send([])
  }

  /** Sends a request, with retries as the retry policy allows, and returns the last answer. */
  const send = async (request: HasuraRequest, token: string, deadlineMs: number): Promise<UpstreamAnswer> => {
    const retries = retriesOf(request.isQuery)
    for (;;) {
      const outcome = await attempt(request, token, deadlineMs).catch(asOutcome)
      const reason = retryReason(outcome)
      const phase = reason === 'connect' ? 'unsent' : 'sent'
      if (reason === undefined || retries[phase] === 0) return answerOf(outcome)
      const delayMs = RETRY_DELAY_MIN_MS + random() * (RETRY_DELAY_MAX_MS - RETRY_DELAY_MIN_MS)
      if (performance.now() + delayMs >= deadlineMs) return answerOf(outcome)
      if (!(outcome instanceof AttemptError)) outcome.stream?.destroy()
      retries[phase] -= 1
      onRetry?.(reason)
      await pause(delayMs, request.signal)
    }
  }

  const execute = async (request: HasuraRequest): Promise<UpstreamAnswer> => {
    const deadlineMs = (request.startedAtMs ?? performance.now()) + timeoutMs
    const token = await tokens.getToken(remaining(deadlineMs))
    const answer = await send(request, token, deadlineMs)
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

  return { execute, close: () => client.close() }
}

/** Returns the value of the header that carries a token: `Bearer <jwt>` for `Authorization`, the bare JWT for any other. */
export const tokenValue = (tokenHeader: string, token: string): string =>
  tokenHeader.toLowerCase() === 'authorization' ? `Bearer ${token}` : token

/** Returns a function that writes the header fields common to all requests; it writes them once for each token. */
function createCommonFields(tokenHeader: string) {
  let known: string | undefined
  let fields = ''
  return (token: string): string => {
    if (token !== known) {
      fields = writeFields(['content-type', 'application/json', 'accept', 'application/json', tokenHeader, tokenValue(tokenHeader, token)])
      known = token
    }
    return fields
  }
}

/**
 * The granularity of time limits, in ms. Node.js keeps a list of timers for each duration; without rounding, almost every request would
 * need its own list.
 */
const TIMEOUT_STEP_MS = 100

/** Returns the time left until a deadline, in ms, rounded up to a multiple of {@link TIMEOUT_STEP_MS}; at least 1. */
const remaining = (deadlineMs: number) => Math.max(1, Math.ceil((deadlineMs - performance.now()) / TIMEOUT_STEP_MS) * TIMEOUT_STEP_MS)

function asOutcome(error: unknown): Outcome {
  if (error instanceof AttemptError) return error
  throw error
}

function answerOf(outcome: Outcome): UpstreamAnswer {
  if (!(outcome instanceof AttemptError)) return outcome
  if (outcome.reason === 'cancelled') throw outcome
  if (outcome.reason === 'timeout') throw new GatewayError('UPSTREAM_TIMEOUT', { cause: outcome })
  const isInvalid = outcome.phase === 'answered' || isNotHttp(outcome)
  throw new GatewayError(isInvalid ? 'UPSTREAM_INVALID_RESPONSE' : 'UPSTREAM_UNREACHABLE', { cause: outcome })
}

/** @throws {AttemptError} if the caller leaves meanwhile */
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal })
  } catch (cause) {
    throw new AttemptError('unsent', 'cancelled', cause)
  }
}

function refusalIn(answer: UpstreamAnswer): Refusal | undefined {
  const refusal = readRefusal(answer.status, answer.headers.get('content-encoding'), answer.head)
  if (refusal) answer.stream?.destroy()
  return refusal
}

const rejected = ({ message }: Refusal) =>
  new GatewayError('UPSTREAM_REJECTED_TOKEN', { message: `Hasura refused the service's token: ${message}` })

function assertJson(answer: UpstreamAnswer): UpstreamAnswer {
  if (isJsonAnswer(answer)) return answer
  answer.stream?.destroy()
  throw new GatewayError('UPSTREAM_INVALID_RESPONSE')
}
