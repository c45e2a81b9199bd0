// Reads the manifest of documents that callers name by id, in the formats of Apollo, Relay and graphql-codegen.
import { isObject } from '../json.ts'
import { normalId } from './document-name.ts'

/** The largest manifest that is read, in bytes; it holds tens of thousands of documents. */
export const MANIFEST_MAX_BYTES = 64 * 1_048_576

/** Document texts by normalized id. */
export type Manifest = ReadonlyMap<string, string>

const APOLLO_FORMAT = 'apollo-persisted-query-manifest'

/**
 * Reads the text of a manifest: Apollo's format, or a JSON object that maps ids to documents.
 * @throws {Error} whose message says where the text is wrong, without quoting it
 */
export function parseManifest(text: string): Manifest {
  const file = parseObject(text)
  const entries = 'format' in file && 'operations' in file ? apolloEntries(file) : mapEntries(file, text)
  const documents = new Map<string, string>()
  for (const [id, document] of entries) {
    const key = normalId(id)
    if (documents.has(key)) throw twice()
    documents.set(key, document)
  }
  return documents
}

const twice = () => new Error('two documents have the same id')

function parseObject(text: string): Record<string, unknown> {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  if (!isObject(file)) throw new Error('it is not a JSON object')
  return file
}

function* apolloEntries({ format, version, operations }: Record<string, unknown>): Generator<[id: string, document: string]> {
  if (format !== APOLLO_FORMAT || version !== 1) throw new Error(`format must be "${APOLLO_FORMAT}" and version 1`)
  if (!Array.isArray(operations)) throw new Error('operations must be a list')
  for (const [index, operation] of operations.entries()) {
    const { id, body }: Record<string, unknown> = isObject(operation) ? operation : {}
    if (!isText(id) || !isText(body)) throw new Error(`operations[${index}] must have an id and a body, both of them non-empty strings`)
    yield [id, body]
  }
}

function* mapEntries(file: Record<string, unknown>, text: string): Generator<[id: string, document: string]> {
  const entries = Object.entries(file)
  for (const [index, [id, document]] of entries.entries()) {
    if (id === '' || !isText(document)) throw new Error(`member ${index + 1} must be an id with a document, both of them non-empty strings`)
    yield [id, document]
  }
  // Each entry has two strings. If two members have the same name, JSON.parse returns only the last, so there are more strings.
  if (countStrings(text) !== 2 * entries.length) throw twice()
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** Counts the strings in JSON text. */
function countStrings(text: string): number {
  let quotes = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) if (!isEscaped(text, at)) quotes++
  return quotes / 2
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charAt(at - 1 - backslashes) === '\\') backslashes++
  return backslashes % 2 === 1
}
