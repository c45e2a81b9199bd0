// Remembers documents that callers send once with their hash, and name by the hash from then on (Apollo, "Automatic Persisted Queries").
import { LRUCache } from 'lru-cache'

/** The memory limit for these documents, in bytes. */
const AUTOMATIC_MAX_BYTES = 16 * 1_048_576
/** The largest remembered document, in bytes, so that a few large ones cannot evict all others. */
const AUTOMATIC_MAX_ENTRY_BYTES = AUTOMATIC_MAX_BYTES / 64

const CHARACTER_BYTES = 2
const ENTRY_BYTES = 384

/** Documents by hash; the least recently used one is evicted first. */
type AutomaticDocuments = {
  get(hash: string): string | undefined
  /** Remembers a document. @param hash the SHA-256 of the text, which is not checked here */
  set(hash: string, text: string): void
}

/** Creates an empty collection. */
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
      // Copied, because part of a URL would keep the whole URL alive.
      documents.set(hash, Buffer.from(text).toString())
    }
  }
}
