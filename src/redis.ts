// Creates the Redis client, set up so that no request waits while Redis is down.
import type { Redis } from 'ioredis'

/**
 * Creates a client. `connect()` starts connecting and retries after each failure, at most 5 s later. Without a connection, every command
 * fails at once.
 * @param url `redis:` or `rediss:`
 * @param timeoutMs time limit for one command, in ms
 */
export async function createRedisClient(url: string, timeoutMs: number): Promise<Redis> {
  // Loaded only when needed, since it would slow down every start.
  const ioredis = await import('ioredis')
  return new ioredis.Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: timeoutMs,
    retryStrategy: attempt => Math.min(attempt * 200, 5_000)
  })
}
