// Reads how a request names its document instead of sending it, and normalizes ids for comparison.
import { hash } from 'node:crypto'
import { GatewayError } from '../errors.ts'

/** The members of a request that give or name its document. */
export type DocumentRequest = {
  readonly query?: string | undefined
  /** GraphQL over HTTP, "Persisted Documents". */
  readonly documentId?: string | undefined
  /** Its member `persistedQuery` is Apollo's "Automatic Persisted Queries". */
  readonly extensions?: unknown
}

/** The document of a request: its text, its id, or both. */
type DocumentName = { readonly id: string; readonly query: undefined } | { readonly id: string | undefined; readonly query: string }

const HASH = /^(?:sha256:)?([0-9a-f]{64})$/i

/** Returns a SHA-256 hash in lower case and without the prefix `sha256:`; returns any other id unchanged. */
export const normalId = (id: string): string => HASH.exec(id)?.[1]?.toLowerCase() ?? id

/** Returns the id of a text as a persisted document: its SHA-256 hash in hex. */
export const hashOf = (text: string): string => hash('sha256', text)

/**
 * Reads the document or its id from a request; the id is normalized.
 * @throws {GatewayError} `INVALID_REQUEST` if there is neither, or members contradict each other; `PERSISTED_QUERY_HASH_MISMATCH`
 */
export function readDocumentName({ query, documentId, extensions }: DocumentRequest): DocumentName {
  const queryHash = readQueryHash(extensions)
  if (documentId !== undefined) {
    if (query !== undefined) throw badRequest('documentId replaces query: send only one of them')
    if (queryHash !== undefined) throw badRequest('documentId replaces extensions.persistedQuery: send only one of them')
    return { id: normalId(documentId), query }
  }
  const id = queryHash === undefined ? undefined : normalId(queryHash)
  if (query !== undefined) {
    if (id !== undefined && hashOf(query) !== id) throw new GatewayError('PERSISTED_QUERY_HASH_MISMATCH')
    return { id, query }
  }
  if (id === undefined) throw badRequest('query is missing, and neither documentId nor extensions.persistedQuery names a document')
  return { id, query }
}

const badRequest = (message: string) => new GatewayError('INVALID_REQUEST', { message })

function readQueryHash(extensions: unknown): string | undefined {
  const { persistedQuery = null } = Object(extensions) as { persistedQuery?: unknown }
  if (persistedQuery === null) return undefined
  const { version, sha256Hash } = Object(persistedQuery) as { version?: unknown; sha256Hash?: unknown }
  if (version !== 1 || typeof sha256Hash !== 'string' || sha256Hash === '')
    throw badRequest('extensions.persistedQuery must be {"version":1,"sha256Hash":"<hash>"}')
  return sha256Hash
}
