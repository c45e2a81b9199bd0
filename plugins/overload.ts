// Sheds load before it brings the service down: operations are answered OVERLOADED, probes and pages go on.
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'

/** The load above which operations are refused. */
export type OverloadOptions = {
  /** Mean delay of the event loop, in ms; default 1000. A request that waits longer is better served by another replica. */
  maxEventLoopDelayMs?: number
  /** How often delay and memory are sampled, in ms; default 1000. */
  sampleIntervalMs?: number
}

/** The share of the heap's limit, and of the container's memory, that may be in use. */
const MAX_MEMORY_SHARE = 0.9
/** The value of `Retry-After`, in seconds. */
const RETRY_AFTER_SECONDS = 1

class OverloadedError extends GatewayError {
  constructor() {
    super('OVERLOADED', { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } })
  }
}

/** The container's memory limit in bytes; 0, which turns the check off, where there is none. */
function memoryLimit(): number {
  const limit = process.constrainedMemory()
  return limit < totalmem() ? limit : 0
}

export default fp<OverloadOptions>(
  async (app, { maxEventLoopDelayMs = 1_000, sampleIntervalMs = 1_000 }) => {
    await app.register(underPressure, {
      maxEventLoopDelay: maxEventLoopDelayMs,
      sampleInterval: sampleIntervalMs,
      maxHeapUsedBytes: getHeapStatistics().heap_size_limit * MAX_MEMORY_SHARE,
      maxRssBytes: memoryLimit() * MAX_MEMORY_SHARE,
      customError: OverloadedError,
      retryAfter: RETRY_AFTER_SECONDS
    })
  },
  { name: 'overload', dependencies: ['errors'] }
)
