// Answers in memory, as many as a number of bytes allows; the least recently used goes first.
import { LRUCache } from 'lru-cache'
import type { KeptAnswer } from './kept-answer.ts'

/** What an answer takes beside its bytes: its key, its object, its tag, and its place in the cache; measured on Node 24, rounded up. */
const ENTRY_BYTES = 320

/** A store of answers in memory. */
export type MemoryStore = {
  get(key: string): KeptAnswer | undefined
  set(key: string, answer: KeptAnswer): void
  delete(key: string): void
}

/** Makes a store. @param maxBytes what its answers may take in all, with all that holds them */
export const createMemoryStore = (maxBytes: number): MemoryStore =>
  new LRUCache<string, KeptAnswer>({ maxSize: maxBytes, sizeCalculation: ({ latin1 }) => latin1.length + ENTRY_BYTES })
