// Decides whether a failed request may be sent again.
import { ProtocolError } from '../http1/answer-head.ts'
import { AttemptError } from '../http1/attempt-error.ts'
import type { Answer } from '../http1/pending-answer.ts'

/** How often a request that never reached Hasura is sent again. */
const CONNECT_RETRIES = 2
/** How often a query is sent again if its connection broke or it was answered 502, 503 or 504. */
const QUERY_RETRIES = 1
/** The bounds of the random wait before a retry, in ms. */
export const RETRY_DELAY_MIN_MS = 50
export const RETRY_DELAY_MAX_MS = 250

const RETRIED_STATUSES = new Set([502, 503, 504])

/** Why a request is sent again. */
export type RetryReason = 'connect' | 'broken' | 'status' | 'token'

/** The outcome of one attempt. */
export type Outcome = Answer | AttemptError

/** Returns how many retries a request has, by what happened to it. Once Hasura may have received it, only a query is retried. */
export const retriesOf = (isQuery: boolean) => ({ unsent: CONNECT_RETRIES, sent: isQuery ? QUERY_RETRIES : 0 })

/** Returns the reason to retry after an outcome, other than `token`; undefined if there is none. */
export function retryReason(outcome: Outcome): Exclude<RetryReason, 'token'> | undefined {
  if (!(outcome instanceof AttemptError)) return RETRIED_STATUSES.has(outcome.status) ? 'status' : undefined
  if (outcome.reason !== 'broken' || isNotHttp(outcome)) return undefined
  return outcome.phase === 'unsent' ? 'connect' : 'broken'
}

/** Whether the peer's answer was not HTTP, in which case a retry would not help. */
export const isNotHttp = ({ cause }: AttemptError): boolean => cause instanceof ProtocolError
