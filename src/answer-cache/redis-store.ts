// Stores cached answers in Redis, shared by several replicas. If Redis fails, the result is a miss, never an error.
import type { Clock } from '../clock.ts'
import { createRedisClient } from '../redis.ts'
import { KeptAnswer } from './kept-answer.ts'

/** Time limit for Redis to return an answer, in ms; after that the result is a miss. */
export const REDIS_TIMEOUT_MS = 100

/** Options of {@link createRedisStore}. */
type RedisStoreOptions = {
  /** A `redis:` or `rediss:` URL. */
  url: string
  /** The prefix of every key; must differ between gateways that have different Hasuras or rights. */
  prefix: string
  clock: Clock
  /** Called with a word for the log when Redis starts to fail, and with undefined when it works. */
  onChange?: (fault: string | undefined) => void
}

/** A store in Redis. */
export type RedisStore = {
  /** Resolves to the answer, or to undefined if there is none or Redis fails. */
  get(key: string): Promise<KeptAnswer | undefined>
  /** Stores an answer if Redis accepts it; does not wait. */
  set(key: string, answer: KeptAnswer): void
  close(): void
}

/** While more bytes than this are being sent to Redis, no further answer is stored. */
const SENDING_MAX_BYTES = 8 * 1_048_576

/** Creates a store and starts connecting; without a connection, every lookup is a miss at once. */
export async function createRedisStore({ url, prefix, clock, onChange }: RedisStoreOptions): Promise<RedisStore> {
  const redis = await createRedisClient(url, REDIS_TIMEOUT_MS)
  let fault: string | undefined = 'connecting'
  let sendingBytes = 0
  const report = (now: string | undefined) => {
    if (fault !== now) onChange?.(now)
    fault = now
  }
  const onFailure = (error: unknown) => {
    // A late reply would keep its command in memory and block the ones behind it; a new connection drops them all.
    if (isLate(error)) redis.disconnect(true)
    report(wordFor(error))
  }
  redis.on('error', onFailure)
  redis.on('ready', () => report(undefined))
  // ioredis retries a failed first connection like any other, and the listener above has reported it.
  void redis.connect().catch(() => {})

  return {
    async get(key) {
      if (redis.status !== 'ready') return undefined
      try {
        const [bytes, leftMs] = await Promise.all([redis.getBuffer(prefix + key), redis.pttl(prefix + key)])
        return bytes === null ? undefined : decode(bytes, leftMs, clock.nowMs())
      } catch (error) {
        onFailure(error)
        return undefined
      }
    },
    set(key, answer) {
      if (redis.status !== 'ready' || sendingBytes > SENDING_MAX_BYTES) return
      const bytes = encode(answer)
      sendingBytes += bytes.length
      redis
        .set(prefix + key, bytes, 'EX', answer.ttlSeconds)
        .then(() => report(undefined), onFailure)
        .finally(() => {
          sendingBytes -= bytes.length
        })
    },
    close: () => redis.disconnect()
  }
}

const isLate = (error: unknown) => error instanceof Error && error.message === 'Command timed out'

/** Returns a word for the log: the code of a network error, else the first word of Redis's reply, such as `OOM`. */
function wordFor(error: unknown): string {
  if (isLate(error)) return 'slow'
  const { code, message = '' } = Object(error) as { code?: unknown; message?: string }
  return typeof code === 'string' ? code : (/^[A-Z]{2,20}\b/.exec(message)?.[0] ?? 'error')
}

/** Writes an answer for Redis: `<version> <ttl> <gzip> <etag> <content type>`, a line break, and the bytes. */
function encode(answer: KeptAnswer): Buffer {
  const { ttlSeconds, isGzip, etag, contentType, latin1 } = answer
  return Buffer.from(`1 ${ttlSeconds} ${isGzip ? 1 : 0} ${etag} ${contentType}\n${latin1}`, 'latin1')
}

const HEAD = /^1 (\d{1,4}) ([01]) ("[\w-]{22}") ([\x20-\x7e]{1,200})$/
const HEAD_MAX_BYTES = 300

/** Reads an answer from Redis; undefined if the bytes are not one or have been altered. */
function decode(bytes: Buffer, leftMs: number, nowMs: number): KeptAnswer | undefined {
  const end = bytes.subarray(0, HEAD_MAX_BYTES).indexOf('\n')
  const [, ttl, gzip, etag, contentType] = HEAD.exec(bytes.toString('latin1', 0, Math.max(end, 0))) ?? []
  if (contentType === undefined) return undefined
  const ttlMs = Number(ttl) * 1_000
  if (leftMs <= 0 || leftMs > ttlMs) return undefined
  const kind = { contentType, isGzip: gzip === '1' }
  const answer = new KeptAnswer(bytes.subarray(end + 1), kind, ttlMs / 1_000, nowMs - (ttlMs - leftMs))
  return answer.etag === etag ? answer : undefined
}
