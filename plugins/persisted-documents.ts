// Decorates the instance with a function that finds a request's document: its own text, a stored operation, or a persisted document.
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { FastifyInstance, FastifyRequest, OperationRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'
import { type CheckedDocument, createDocumentCheck } from '../src/graphql/document.ts'
import { createAutomaticDocuments } from '../src/persisted-documents/automatic-documents.ts'
import { type DocumentRequest, hashOf, readDocumentName } from '../src/persisted-documents/document-name.ts'
import { MANIFEST_MAX_BYTES, type Manifest, parseManifest } from '../src/persisted-documents/manifest.ts'
import type { OperationCatalog } from '../src/stored-operations/operation-catalog.ts'
import type { StoredOperation } from '../src/stored-operations/stored-operation.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Returns the document of a request, given by text or id, after checking that the caller may run it. The result is a promise only if
     * stored operations are needed and are not ready yet.
     * @throws {GatewayError} `INVALID_REQUEST`, `PERSISTED_QUERY_NOT_FOUND`, `PERSISTED_QUERY_HASH_MISMATCH`, `GRAPHQL_PARSE_FAILED`,
     *   `LIMIT_EXCEEDED`, `OPERATION_NOT_ALLOWED`, `OPERATION_UNAVAILABLE`
     */
    findDocument(request: FastifyRequest, asked: DocumentRequest): FoundDocument | Promise<FoundDocument>
  }
}

/** A document that may run; it has `isCurrent` if this depends on stored operations or the manifest, which may change. */
type FoundDocument = Pick<OperationRequest, 'document' | 'isCurrent'>

/** The current version of the manifest. */
type WatchedManifest = { documents: Manifest; texts: Set<string> | undefined }

/** Reads the manifest, and reads it again when it changes; a broken new version is rejected. */
function watchManifest(app: FastifyInstance, path: string): WatchedManifest {
  const manifest: WatchedManifest = { documents: parseManifest(readFileSync(path, 'utf8')), texts: undefined }
  app.log.info({ documents: manifest.documents.size }, 'PERSISTED_DOCUMENTS_FILE was read')
  app.rereadOnChange('PERSISTED_DOCUMENTS_FILE', path, async () => {
    if ((await stat(path)).size > MANIFEST_MAX_BYTES) throw new Error(`it is larger than ${MANIFEST_MAX_BYTES} bytes`)
    manifest.documents = parseManifest(await readFile(path, 'utf8'))
    manifest.texts = undefined
    return { documents: manifest.documents.size }
  })
  return manifest
}

/** Returns a function that finds a stored operation by the SHA-256 of its file. */
function createStoredFinder(): (catalog: OperationCatalog, hash: string) => StoredOperation | undefined {
  const known = new WeakMap<OperationCatalog, ReadonlyMap<string, StoredOperation>>()
  return (catalog, hash) => {
    let byHash = known.get(catalog)
    if (byHash === undefined) {
      byHash = new Map(catalog.operations.map(operation => [hashOf(operation.files[0]?.text ?? ''), operation]))
      known.set(catalog, byHash)
    }
    return byHash.get(hash)
  }
}

export default fp(
  async app => {
    const { config, operations } = app
    const check = createDocumentCheck({
      maxDepth: config.GRAPHQL_MAX_DEPTH,
      maxTokens: config.GRAPHQL_MAX_TOKENS,
      maxFields: config.GRAPHQL_MAX_FIELDS,
      maxAliases: config.GRAPHQL_MAX_ALIASES,
      maxDirectives: config.GRAPHQL_MAX_DIRECTIVES
    })
    const { PERSISTED_DOCUMENTS_FILE: path } = config
    const manifest: WatchedManifest = path === undefined ? { documents: new Map(), texts: undefined } : watchManifest(app, path)
    const findStored = createStoredFinder()
    const automatic = createAutomaticDocuments()

    const onceReady = (find: () => FoundDocument): FoundDocument | Promise<FoundDocument> => operations.whenReady()?.then(find) ?? find()

    const runStored = (request: FastifyRequest, catalog: OperationCatalog, equal: CheckedDocument): FoundDocument => {
      const { name, document } = catalog.require(equal)
      request.storedOperationName = name
      return { document, isCurrent: () => operations.current.get(name)?.document.text === document.text }
    }

    /** Finds a document by id among the stored operations and in the manifest, which every caller may run. */
    const findListed = (request: FastifyRequest, id: string): FoundDocument | undefined => {
      const catalog = operations.current
      const stored = findStored(catalog, id)
      if (stored) return runStored(request, catalog, stored.document)
      const text = manifest.documents.get(id)
      return text === undefined ? undefined : { document: check(text), isCurrent: () => manifest.documents.get(id) === text }
    }

    const findAutomatic = (id: string): FoundDocument | undefined => {
      const text = automatic.get(id)
      return text === undefined ? undefined : { document: check(text) }
    }

    const isListed = (text: string): boolean => {
      manifest.texts ??= new Set(manifest.documents.values())
      return manifest.texts.has(text)
    }

    const findNamed = (request: FastifyRequest, id: string, isAdhocAllowed: boolean): FoundDocument => {
      const found = findListed(request, id) ?? (isAdhocAllowed ? findAutomatic(id) : undefined)
      if (found === undefined) throw new GatewayError('PERSISTED_QUERY_NOT_FOUND')
      return found
    }

    app.decorate('findDocument', (request, asked) => {
      const isAdhocAllowed = config.GRAPHQL_ADHOC && request.caller?.adhoc !== false
      const { id, query } = readDocumentName(asked)
      if (query === undefined) return onceReady(() => findNamed(request, id, isAdhocAllowed))
      const document = check(query)
      if (isAdhocAllowed) {
        if (id !== undefined) automatic.set(id, query)
        return { document }
      }
      if (isListed(query)) return { document, isCurrent: () => isListed(query) }
      return onceReady(() => runStored(request, operations.current, document))
    })
  },
  { name: 'persistedDocuments', dependencies: ['config', 'callers', 'metrics', 'fileChanges', 'operations'] }
)
