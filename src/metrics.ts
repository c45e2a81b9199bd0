// The Prometheus metrics of the service. No label holds a document, a name from one, or anything secret.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { TokenStatus } from './cognito/token-status.ts'

/** Upper bounds of the histograms of requests, in seconds: from a millisecond to the default time-out of Hasura. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Upper bounds of the histogram of exchanges, in seconds; none takes longer than 10 s. */
const EXCHANGE_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Makes the metrics on a registry of their own.
 * @param tokenStatus read at each scrape
 */
export function createMetrics(tokenStatus: () => TokenStatus) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, read: (status: TokenStatus) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(tokenStatus()))
      }
    })
  const count = (name: string, help: string, read: () => number) =>
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
    'When the current token expires, in seconds since 1970; 0 where there is none.',
    status => status.expiryTimestampSeconds ?? 0
  )
  gauge(
    'cognito_token_refresh_failures_consecutive',
    'Exchanges that have failed since the last success.',
    status => status.consecutiveFailures
  )
  return {
    registry,
    /** Adds the gauges of subscriptions: event streams of callers, and what they come to at Hasura. */
    countSubscriptions(read: { callers: () => number; hasura: () => number }): void {
      count('graphql_subscriptions_active', 'Event streams that callers have open.', read.callers)
      count('hasura_subscriptions_active', 'Subscriptions at Hasura; equal ones of callers share one.', read.hasura)
    },
    exchanges: new Counter({
      name: 'cognito_token_exchanges_total',
      help: 'Exchanges with the token endpoint, by reason and outcome.',
      labelNames: ['reason', 'outcome'] as const,
      registers
    }),
    exchangeSeconds: new Histogram({
      name: 'cognito_token_exchange_duration_seconds',
      help: 'Duration of exchanges with the token endpoint.',
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
      help: 'Time from the call of Hasura, retries included, to the end of its answer or the first 64 KiB of it.',
      buckets: REQUEST_BUCKETS,
      registers
    }),
    httpSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from a request to the end of its answer.',
      labelNames: ['route', 'method', 'status_code'] as const,
      buckets: REQUEST_BUCKETS,
      registers
    }),
    rateLimitFailures: new Counter({
      name: 'rate_limit_failures_total',
      help: 'Requests let through because Redis could not count them.',
      registers
    }),
    operations: new Counter({
      name: 'graphql_operations_total',
      help: 'Operations by kind; the outcome is ok, an error code of the service, upstream_error (Hasura answered 4xx or 5xx) or aborted; the caller where it is known.',
      labelNames: ['kind', 'outcome', 'caller'] as const,
      registers
    })
  }
}

/** The metrics, as {@link createMetrics} makes them. */
export type Metrics = ReturnType<typeof createMetrics>
