// Documents that callers sent once with their hash and name by it from then on (Apollo, "Automatic Persisted Queries").
import { LRUCache } from 'lru-cache'

/** What these documents may take in memory, in bytes. */
export const AUTOMATIC_MAX_BYTES = 16 * 1_048_576
/** A larger document is not remembered, so that a few can't push out all others. */
export const AUTOMATIC_MAX_ENTRY_BYTES = AUTOMATIC_MAX_BYTES / 64

const CHARACTER_BYTES = 2
const ENTRY_BYTES = 384

/** Documents by hash; the least recently used goes first. */
export type AutomaticDocuments = {
  get(hash: string): string | undefined
  /** @param hash the SHA-256 of the text: this is for the caller to check */
  set(hash: string, text: string): void
}

/** Makes an empty collection. */
export function createAutomaticDocuments(): AutomaticDocuments {
  const documents = new LRUCache<string, string>({
    maxSize: AUTOMATIC_MAX_BYTES,
    maxEntrySize: AUTOMATIC_MAX_ENTRY_BYTES,
    sizeCalculation: text => text.length * CHARACTER_BYTES + ENTRY_BYTES
  })
  return {
    get: hash => documents.get(hash),
    set(hash, text) {
      if (documents.has(hash) || text.length * CHARACTER_BYTES + ENTRY_BYTES > AUTOMATIC_MAX_ENTRY_BYTES) return
      // In memory of its own: part of a URL would keep the whole URL.
      documents.set(hash, Buffer.from(text).toString())
    }
  }
}
