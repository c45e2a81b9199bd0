// Checks a GraphQL document against the limits and selects the operation that runs, without a schema.
import { GraphQLError } from 'graphql/error'
import { type DocumentNode, Kind, parse } from 'graphql/language'
import { LRUCache } from 'lru-cache'
import { GatewayError, type SourceLocation } from '../errors.ts'
import { BoundedLexer } from './bounded-lexer.ts'
import { type DocumentLimits, overLimit } from './document-limits.ts'
import { measureDocument } from './measure-document.ts'
import { quoteBlockStrings } from './quoted-block-strings.ts'

/** The kind of an operation. */
export type OperationKind = 'query' | 'mutation' | 'subscription'

/** An operation in a document; `name` is undefined if it is anonymous. */
export type Operation = { readonly kind: OperationKind; readonly name: string | undefined }

/** A document that parses and is within the limits. */
export type CheckedDocument = {
  /** The text for Hasura: the caller's, after {@link quoteBlockStrings}. */
  readonly text: string
  /** The text as a JSON string, made once, since every request to Hasura contains it. */
  readonly json: string
  /** In the order of the document; at least one. */
  readonly operations: readonly Operation[]
}

/** Why a document is refused. Not an error object, whose stack would keep the parser and all its tokens in the cache. */
type Refusal = Pick<GatewayError, 'code' | 'message' | 'locations'>

/** The memory limit of the cache of results, in bytes. */
export const CACHE_MAX_BYTES = 16 * 1024 * 1024
/** The largest cached result, in bytes. A larger document is checked every time, so that a few cannot evict all others. */
const CACHE_MAX_ENTRY_BYTES = CACHE_MAX_BYTES / 64

/**
 * Returns a function that checks document texts and caches the results by text, refusals included.
 * `check(text)` throws a {@link GatewayError}: `GRAPHQL_PARSE_FAILED` with locations, or `LIMIT_EXCEEDED` naming the limit.
 */
export function createDocumentCheck(limits: DocumentLimits): (text: string) => CheckedDocument {
  const cache = new LRUCache<string, CheckedDocument | Refusal>({
    maxSize: CACHE_MAX_BYTES,
    maxEntrySize: CACHE_MAX_ENTRY_BYTES,
    sizeCalculation: sizeOf
  })
  return text => {
    let result = cache.get(text)
    if (result === undefined) {
      const own = ownCopy(text)
      result = checkOrRefuse(own, limits)
      cache.set(own, result)
    }
    if ('code' in result) {
      const { code, message, locations } = result
      throw new GatewayError(code, { message, ...(locations && { locations }) })
    }
    return result
  }
}

const CHARACTER_BYTES = 2
const OPERATION_BYTES = 96
const ENTRY_BYTES = 512

/** Returns the memory that a result and its key take, in bytes; measured on Node 24, rounded up. */
function sizeOf(result: CheckedDocument | Refusal, key: string): number {
  if ('code' in result) return ENTRY_BYTES + CHARACTER_BYTES * (key.length + result.message.length)
  const characters = key.length + result.json.length + (result.text === key ? 0 : result.text.length)
  return ENTRY_BYTES + CHARACTER_BYTES * characters + OPERATION_BYTES * result.operations.length
}

/** Copies a text into its own memory: part of a URL would keep the whole URL alive, which the cache does not count. */
const ownCopy = (text: string) =>
  text.length * CHARACTER_BYTES > CACHE_MAX_ENTRY_BYTES ? text : Buffer.from(text, 'utf16le').toString('utf16le')

/**
 * Returns the operation that a request runs (GraphQL specification, section 6.1, "GetOperation"); does not check whether its kind may run.
 * @param name `operationName`; undefined, null and an empty string all mean that none is given
 * @throws {GatewayError} `OPERATION_NAME_REQUIRED` or `OPERATION_NOT_FOUND`
 */
export function selectOperation({ operations }: CheckedDocument, name: string | null | undefined): Operation {
  if (!name && operations.length > 1) throw new GatewayError('OPERATION_NAME_REQUIRED')
  const operation = name ? operations.find(candidate => candidate.name === name) : operations[0]
  if (operation === undefined) throw new GatewayError('OPERATION_NOT_FOUND')
  return operation
}

function checkOrRefuse(text: string, limits: DocumentLimits): CheckedDocument | Refusal {
  try {
    return checkDocument(text, limits)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    const { code, message, locations } = error
    return { code, message, locations }
  }
}

function checkDocument(text: string, limits: DocumentLimits): CheckedDocument {
  const lexer = new BoundedLexer(text, limits)
  const document = parseWith(lexer, limits)
  const operations = operationsOf(document)
  const { depth, aliases, fields } = measureDocument(document, limits)
  if (depth > limits.maxDepth) throw overLimit('GRAPHQL_MAX_DEPTH', limits.maxDepth)
  if (aliases > limits.maxAliases) throw overLimit('GRAPHQL_MAX_ALIASES', limits.maxAliases)
  if (fields > limits.maxFields) throw overLimit('GRAPHQL_MAX_FIELDS', limits.maxFields)
  if (lexer.directives > limits.maxDirectives) throw overLimit('GRAPHQL_MAX_DIRECTIVES', limits.maxDirectives)
  const sent = quoteBlockStrings(text, lexer.blockStrings)
  return { text: sent, json: JSON.stringify(sent), operations }
}

function parseWith(lexer: BoundedLexer, { maxTokens }: DocumentLimits): DocumentNode {
  try {
    return parse(lexer.source, { lexer, maxComments: maxTokens })
  } catch (error) {
    if (error instanceof GraphQLError) throw notParsed(error.message, error.locations)
    throw error
  }
}

const notParsed = (message: string, locations: readonly SourceLocation[] | undefined) =>
  new GatewayError('GRAPHQL_PARSE_FAILED', {
    message,
    ...(locations && { locations: locations.map(({ line, column }) => ({ line, column })) })
  })

/** Applies the rules that make it certain which operation Hasura runs (GraphQL specification, sections 5.1.1, 5.2.1.1, 5.5.1.1). */
function operationsOf(document: DocumentNode): Operation[] {
  const operations: Operation[] = []
  const seen = new Set<string>()
  for (const node of document.definitions) {
    const locations = node.loc && [node.loc.startToken]
    if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) {
      throw notParsed('The document must contain only operations and fragments.', locations)
    }
    if (node.kind === Kind.OPERATION_DEFINITION) operations.push({ kind: node.operation, name: node.name?.value })
    if (node.name === undefined) continue
    const key = `${node.kind} ${node.name.value}`
    if (seen.has(key)) throw notParsed('Two definitions in the document have the same name.', locations)
    seen.add(key)
  }
  if (operations.length === 0) throw notParsed('The document contains no operation.', [{ line: 1, column: 1 }])
  return operations
}
