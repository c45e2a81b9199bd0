// Decides from the text alone whether a GraphQL document may go on, and which of its operations runs.
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  type StringValueNode,
  visit
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { GatewayError, type SourceLocation } from '../errors.ts'

/** What an operation does. */
export type OperationKind = 'query' | 'mutation' | 'subscription'

/** An operation of a document; an anonymous one has no name. */
export type Operation = { readonly kind: OperationKind; readonly name: string | undefined }

/** A document that parsed and is within the limits. */
export type CheckedDocument = {
  readonly text: string
  /** The text as a JSON string, made once, since each request to Hasura holds it. */
  readonly json: string
  /** In the order of the document; at least one. */
  readonly operations: readonly Operation[]
}

/** How large a document may be. */
export type DocumentLimits = {
  /** Deepest selection, fragments followed; `{ a }` is 1. */
  maxDepth: number
  /** Lexical tokens; parsing stops there. */
  maxTokens: number
  /** Aliases of all operations, fragments followed. */
  maxAliases: number
  /** Directives anywhere in the document. */
  maxDirectives: number
}

/** What the results of checking may take in memory, in bytes, strings counted at two bytes a character. */
export const CACHE_MAX_BYTES = 16 * 1024 * 1024
/** A larger document is checked anew each time, so that a few can't push out all others. */
export const CACHE_MAX_ENTRY_BYTES = CACHE_MAX_BYTES / 64
const CACHE_ENTRY_OVERHEAD_BYTES = 512

/**
 * A check of document texts, cached by text, refusals included.
 * `check(text)` throws a {@link GatewayError}: `GRAPHQL_PARSE_FAILED` with locations, or `LIMIT_EXCEEDED` naming the limit.
 */
export function createDocumentCheck(limits: DocumentLimits): (text: string) => CheckedDocument {
  const cache = new LRUCache<string, CheckedDocument | GatewayError>({
    maxSize: CACHE_MAX_BYTES,
    maxEntrySize: CACHE_MAX_ENTRY_BYTES,
    sizeCalculation: (_, text) => text.length * 6 + CACHE_ENTRY_OVERHEAD_BYTES
  })
  return text => {
    let result = cache.get(text)
    if (result === undefined) {
      const own = ownCopy(text)
      result = checkDocument(own, limits)
      cache.set(own, result)
    }
    if (result instanceof GatewayError) throw result
    return result
  }
}

/** The same text in memory of its own: part of a URL would keep the whole URL, which the cache does not count. */
const ownCopy = (text: string) => (text.length > CACHE_MAX_ENTRY_BYTES / 6 ? text : Buffer.from(text, 'utf16le').toString('utf16le'))

/**
 * The operation that a request runs (GraphQL specification, section 6.1, "GetOperation").
 * @param name `operationName`; undefined, null and empty all mean that none is given
 * @throws {GatewayError} `OPERATION_NAME_REQUIRED`, `OPERATION_NOT_FOUND` or `SUBSCRIPTION_NOT_SUPPORTED`
 */
export function selectOperation({ operations }: CheckedDocument, name: string | null | undefined): Operation {
  if (!name && operations.length > 1) throw new GatewayError('OPERATION_NAME_REQUIRED')
  const operation = name ? operations.find(candidate => candidate.name === name) : operations[0]
  if (operation === undefined) throw new GatewayError('OPERATION_NOT_FOUND')
  if (operation.kind === 'subscription') throw new GatewayError('SUBSCRIPTION_NOT_SUPPORTED')
  return operation
}

function checkDocument(text: string, limits: DocumentLimits): CheckedDocument | GatewayError {
  try {
    const document = parse(text, { maxTokens: limits.maxTokens })
    const operations = document.definitions.filter(node => node.kind === Kind.OPERATION_DEFINITION)
    assertExecutable(document, operations)
    assertWithinLimits(document, operations, limits)
    return {
      text,
      json: JSON.stringify(text),
      operations: operations.map(({ operation, name }) => ({ kind: operation, name: name?.value }))
    }
  } catch (error) {
    if (error instanceof GatewayError) return error
    if (error instanceof GraphQLError) return parseFailure(error, limits.maxTokens)
    // Only nesting that no limit allows runs the parser out of stack.
    if (error instanceof RangeError) return overLimit('GRAPHQL_MAX_DEPTH', limits.maxDepth)
    throw error
  }
}

function parseFailure(error: GraphQLError, maxTokens: number): GatewayError {
  if (error.message === `Syntax Error: Document contains more than ${maxTokens} tokens. Parsing aborted.`) {
    return overLimit('GRAPHQL_MAX_TOKENS', maxTokens)
  }
  return notParsed(error.message, error.locations)
}

const notParsed = (message: string, locations: readonly SourceLocation[] | undefined) =>
  new GatewayError('GRAPHQL_PARSE_FAILED', {
    message,
    ...(locations && { locations: locations.map(({ line, column }) => ({ line, column })) })
  })

const overLimit = (setting: string, limit: number) =>
  new GatewayError('LIMIT_EXCEEDED', { message: `The document is over the limit ${setting} of ${limit}.` })

/** Rules without which it would not be certain what Hasura runs (GraphQL specification, sections 5.1.1, 5.2.1.1, 5.5.1.1). */
function assertExecutable(document: DocumentNode, operations: readonly OperationDefinitionNode[]): void {
  const seen = new Set<string>()
  for (const node of document.definitions) {
    const locations = node.loc && [{ line: node.loc.startToken.line, column: node.loc.startToken.column }]
    if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) {
      throw notParsed('Only operations and fragments may stand in the document.', locations)
    }
    if (node.name === undefined) continue
    const key = `${node.kind} ${node.name.value}`
    if (seen.has(key)) throw notParsed('Two definitions in the document have the same name.', locations)
    seen.add(key)
  }
  if (operations.length === 0) throw notParsed('The document holds no operation.', [{ line: 1, column: 1 }])
}

/**
 * Hasura v2 ends a block string at some escaped quotes where the specification (section 2.9.4) does not, such as `\\"""`, and would run
 * what is text to this parser: a mutation in what was checked as a query. Every such difference takes a backslash.
 */
function assertReadAlike({ block, loc }: StringValueNode): void {
  if (!block || !loc?.source.body.slice(loc.start, loc.end).includes('\\')) return
  const { line, column } = loc.startToken
  throw notParsed('A backslash may not stand in a block string: write a quoted string instead.', [{ line, column }])
}

/** What a selection amounts to once its fragments are followed. */
type Extent = { depth: number; aliases: number }

/** Measures each fragment once, so that the cost is linear in the text however often fragments are spread. */
function assertWithinLimits(document: DocumentNode, operations: readonly OperationDefinitionNode[], limits: DocumentLimits): void {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  const measured = new Map<string, Extent | 'under way'>()

  const measureFragment = (name: string): Extent => {
    const known = measured.get(name)
    if (known === 'under way') throw overLimit('GRAPHQL_MAX_DEPTH', limits.maxDepth)
    if (known !== undefined) return known
    const fragment = fragments.get(name)
    if (fragment === undefined) return { depth: 0, aliases: 0 }
    measured.set(name, 'under way')
    const extent = measure(fragment.selectionSet)
    measured.set(name, extent)
    return extent
  }

  const measure = (selectionSet: SelectionSetNode | undefined): Extent => {
    const extent = { depth: 0, aliases: 0 }
    for (const node of selectionSet?.selections ?? []) {
      const inner = node.kind === Kind.FRAGMENT_SPREAD ? measureFragment(node.name.value) : measure(node.selectionSet)
      const isField = node.kind === Kind.FIELD
      extent.depth = Math.max(extent.depth, inner.depth + (isField ? 1 : 0))
      extent.aliases += inner.aliases + (isField && node.alias !== undefined ? 1 : 0)
    }
    return extent
  }

  for (const name of fragments.keys()) measureFragment(name)
  const extents = operations.map(operation => measure(operation.selectionSet))
  if (extents.some(({ depth }) => depth > limits.maxDepth)) throw overLimit('GRAPHQL_MAX_DEPTH', limits.maxDepth)
  if (extents.reduce((sum, { aliases }) => sum + aliases, 0) > limits.maxAliases) throw overLimit('GRAPHQL_MAX_ALIASES', limits.maxAliases)
  let directives = 0
  visit(document, {
    Directive: () => void directives++,
    StringValue: node => assertReadAlike(node)
  })
  if (directives > limits.maxDirectives) throw overLimit('GRAPHQL_MAX_DIRECTIVES', limits.maxDirectives)
}
