// Creates the Prometheus metrics. No label contains a document, a name from a document, or anything secret.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { TokenStatus } from './cognito/token-status.ts'

/** Bucket bounds for the duration of requests, in seconds: from 1 ms to the default of GRAPHQL_TIMEOUT_MS. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Bucket bounds for the duration of exchanges, in seconds; the request of an exchange times out after 10 s. */
const EXCHANGE_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Creates the metrics in a registry of their own.
 * @param tokenStatus read at each scrape
 */
export function createMetrics(tokenStatus: () => TokenStatus) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      }
    })
  gauge(
    'cognito_token_expiry_timestamp_seconds',
    'When the current token expires, in seconds since 1970; 0 if there is no token.',
    () => tokenStatus().expiryTimestampSeconds ?? 0
  )
  gauge('cognito_token_refresh_failures_consecutive', 'Failed exchanges since the last success.', () => tokenStatus().consecutiveFailures)
  return {
    registry,
    /** Adds the gauges of subscriptions: callers' event streams, and the subscriptions at Hasura that feed them. */
    countSubscriptions(read: { callers: () => number; hasura: () => number }): void {
      gauge('graphql_subscriptions_active', 'Open event streams of callers.', read.callers)
      gauge('hasura_subscriptions_active', 'Open subscriptions at Hasura; callers with equal subscriptions share one.', read.hasura)
    },
    /** Adds the gauges of requests in flight and in the queue, read at each scrape. */
    countLoad(read: { requests: () => number; queue: () => number }): void {
      gauge('http_requests_in_flight', 'Requests in flight, including probes.', read.requests)
      gauge('hasura_queue_length', 'Requests waiting for a connection to Hasura.', read.queue)
    },
    exchanges: new Counter({
      name: 'cognito_token_exchanges_total',
      help: 'Token exchanges with Cognito, by reason and outcome.',
      labelNames: ['reason', 'outcome'] as const,
      registers
    }),
    exchangeSeconds: new Histogram({
      name: 'cognito_token_exchange_duration_seconds',
      help: 'Duration of token exchanges with Cognito.',
      buckets: EXCHANGE_BUCKETS,
      registers
    }),
    rejections: new Counter({
      name: 'hasura_token_rejections_total',
      help: 'Tokens that Hasura refused, by reason.',
      labelNames: ['reason'] as const,
      registers
    }),
    retries: new Counter({
      name: 'hasura_retries_total',
      help: 'Requests sent to Hasura again, by reason.',
      labelNames: ['reason'] as const,
      registers
    }),
    hasuraSeconds: new Histogram({
      name: 'hasura_request_duration_seconds',
      help: 'Duration of calls to Hasura, retries included, to the end of the answer or its first 64 KiB.',
      buckets: REQUEST_BUCKETS,
      registers
    }),
    httpSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Duration of requests, to the end of the answer.',
      labelNames: ['route', 'method', 'status_code'] as const,
      buckets: REQUEST_BUCKETS,
      registers
    }),
    rateLimitFailures: new Counter({
      name: 'rate_limit_failures_total',
      help: 'Requests let through because Redis could not count them.',
      registers
    }),
    answerCache: new Counter({
      name: 'answer_cache_total',
      help: 'Queries with @cached: hit, miss or bypass (refresh: true); stored in addition if the answer is cached.',
      labelNames: ['outcome'] as const,
      registers
    }),
    storedOperations: new Counter({
      name: 'stored_operation_requests_total',
      help: 'Requests for stored operations, by file name and by the outcomes of graphql_operations_total.',
      labelNames: ['operation', 'outcome'] as const,
      registers
    }),
    operations: new Counter({
      name: 'graphql_operations_total',
      help: 'Operations by kind, outcome and caller. The outcome is ok, graphql_error (Hasura answered with errors), an error code of the service, upstream_error (Hasura answered 4xx or 5xx without errors) or aborted; caller is absent if not known.',
      labelNames: ['kind', 'outcome', 'caller'] as const,
      registers
    })
  }
}

/** The metrics that {@link createMetrics} returns. */
export type Metrics = ReturnType<typeof createMetrics>
