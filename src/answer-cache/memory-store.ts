// Stores cached answers in memory up to a number of bytes; the least recently used one is evicted first.
import { LRUCache } from 'lru-cache'
import type { KeptAnswer } from './kept-answer.ts'

/** The memory overhead of an answer: key, object, tag and cache entry; measured on Node 24, rounded up. */
const ENTRY_BYTES = 320

/** A store of answers in memory. */
export type MemoryStore = {
  get(key: string): KeptAnswer | undefined
  set(key: string, answer: KeptAnswer): void
  delete(key: string): void
}

/** Creates a store. @param maxBytes memory limit for all answers, overhead included */
export const createMemoryStore = (maxBytes: number): MemoryStore =>
  new LRUCache<string, KeptAnswer>({ maxSize: maxBytes, sizeCalculation: ({ latin1 }) => latin1.length + ENTRY_BYTES })
