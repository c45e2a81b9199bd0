// The client of Redis, set up so that nobody waits for one that is gone.
import type { Redis } from 'ioredis'

/**
 * Makes a client; `connect()` begins to connect, and again after each failure, 5 s later at most. While there is no connection, every
 * command fails at once.
 * @param url `redis:` or `rediss:`
 * @param timeoutMs the longest that Redis may take for one command
 */
export async function createRedisClient(url: string, timeoutMs: number): Promise<Redis> {
  // Loaded only when it is needed: it would slow down every start.
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
