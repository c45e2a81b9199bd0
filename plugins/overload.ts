// Sheds load before it brings the service down: operations are answered OVERLOADED, probes and pages go on.
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'

/** How far the service may be stretched. */
export type OverloadOptions = {
  /** Mean delay of the event loop, in ms; default 1000. What waits longer than that would better be answered elsewhere. */
  maxEventLoopDelayMs?: number
  /** How often delay and memory are looked at, in ms; default 1000. */
  sampleIntervalMs?: number
}

/** The share of the memory that may be in use, of the heap's limit and of the container's. */
const MAX_MEMORY_SHARE = 0.9
/** When to come again, in s. */
const RETRY_AFTER_SECONDS = 1

class OverloadedError extends GatewayError {
  constructor() {
    super('OVERLOADED', { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } })
  }
}

/** The container's limit of memory in bytes; 0, which means no check, where there is none. */
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
