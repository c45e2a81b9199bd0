// Answers in Redis, shared by several replicas. Whatever goes wrong with it costs a miss, never an error.
import type { Clock } from '../clock.ts'
import { createRedisClient } from '../redis.ts'
import { KeptAnswer } from './kept-answer.ts'

/** How long Redis may take for one answer, in ms; after that it counts as a miss. */
export const REDIS_TIMEOUT_MS = 100

/** What a store is made with. */
export type RedisStoreOptions = {
  /** A `redis:` or `rediss:` URL. */
  url: string
  /** Stands before every key: gateways with another Hasura or other rights must have another. */
  prefix: string
  clock: Clock
  /** Called when Redis begins to fail, with a word for the log, and with undefined when it works. */
  onChange?: (fault: string | undefined) => void
}

/** A store in Redis. */
export type RedisStore = {
  /** Resolves to an answer, or to undefined for any reason. */
  get(key: string): Promise<KeptAnswer | undefined>
  /** Keeps an answer, if Redis takes it. */
  set(key: string, answer: KeptAnswer): void
  close(): void
}

/** While more bytes than these are under way to Redis, no further answer is sent. */
const SENDING_MAX_BYTES = 8 * 1_048_576

/** Makes a store and begins to connect; while there is no connection, every answer is a miss at once. */
export async function createRedisStore({ url, prefix, clock, onChange }: RedisStoreOptions): Promise<RedisStore> {
  const redis = await createRedisClient(url, REDIS_TIMEOUT_MS)
  let fault: string | undefined = 'connecting'
  let sendingBytes = 0
  const report = (now: string | undefined) => {
    if (fault !== now) onChange?.(now)
    fault = now
  }
  const onFailure = (error: unknown) => {
    // A reply that is late would keep its command in memory, and those behind it waiting: a new connection drops them all.
    if (isLate(error)) redis.disconnect(true)
    report(wordFor(error))
  }
  redis.on('error', onFailure)
  redis.on('ready', () => report(undefined))
  // A failed first connection is tried again like any other, and has been reported.
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

/** A word for the log: the code of a network error, else the first word of Redis's reply, such as `OOM`. */
function wordFor(error: unknown): string {
  if (isLate(error)) return 'slow'
  const { code, message = '' } = Object(error) as { code?: unknown; message?: string }
  return typeof code === 'string' ? code : (/^[A-Z]{2,20}\b/.exec(message)?.[0] ?? 'error')
}

/** Writes an answer with what it takes to know it again: `<version> <ttl> <gzip> <etag> <content type>`, a line break, and its bytes. */
function encode(answer: KeptAnswer): Buffer {
  const { ttlSeconds, isGzip, etag, contentType, latin1 } = answer
  return Buffer.from(`1 ${ttlSeconds} ${isGzip ? 1 : 0} ${etag} ${contentType}\n${latin1}`, 'latin1')
}

const HEAD = /^1 (\d{1,4}) ([01]) ("[\w-]{22}") ([\x20-\x7e]{1,200})$/
const HEAD_MAX_BYTES = 300

/** Reads an answer; undefined for bytes that are not one, or not as they were written. */
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
