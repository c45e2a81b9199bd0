// Reads Hasura's directive `@cached` on a query, and removes it from the document and its variables.
import { hash } from 'node:crypto'
import {
  type ASTNode,
  type ConstValueNode,
  type DirectiveNode,
  Kind,
  Lexer,
  type OperationDefinitionNode,
  parse,
  Source,
  TokenKind,
  type ValueNode,
  type VariableDefinitionNode,
  visit
} from 'graphql/language'
import { GatewayError } from '../errors.ts'
import { readMembers, writeMembers } from '../json.ts'
import type { CheckedDocument } from './document.ts'

/** The default lifetime of an answer, in seconds, as in Hasura Cloud. */
const TTL_DEFAULT_SECONDS = 60
/** The longest lifetime, in seconds. */
const TTL_MAX_SECONDS = 3_600

/** A query with `@cached`. */
type CachedQuery = {
  /** The document without the directive and the variables that only it uses; the rest is unchanged byte for byte. */
  readonly document: CheckedDocument
  /** Equal for documents that differ only in layout, comments and this directive. */
  readonly fingerprint: string
  /** The variables that only the directive uses. */
  readonly ownVariables: ReadonlySet<string>
  readonly ttl: Argument
  readonly refresh: Argument
}

/** An argument of the directive: a literal, or a variable with its default; undefined if it is not given. */
type Argument = { readonly value: ValueNode; readonly byDefault: ConstValueNode | undefined } | undefined

/** What one request wants from the cache. */
type CacheWish = {
  /** From 1 to {@link TTL_MAX_SECONDS}. */
  readonly ttlSeconds: number
  /** Whether to call Hasura even if an answer is cached. */
  readonly refresh: boolean
  /** The variables to send to Hasura, as the JSON text of an object; undefined if there are none. */
  readonly variables: string | undefined
}

/**
 * Returns a function that finds the directive on an operation of a document; undefined if there is none. Results are cached for as long as
 * the document is.
 * @throws {GatewayError} `INVALID_REQUEST` for a repeated directive or an unknown argument
 */
export function createCachedQueryFinder(): (document: CheckedDocument, operationName: string | undefined) => CachedQuery | undefined {
  const known = new WeakMap<CheckedDocument, Map<string | undefined, CachedQuery | undefined>>()
  return (document, operationName) => {
    let queries = known.get(document)
    if (queries === undefined) {
      queries = new Map()
      known.set(document, queries)
    }
    if (!queries.has(operationName)) queries.set(operationName, findCachedQuery(document, operationName))
    return queries.get(operationName)
  }
}

function findCachedQuery({ text, operations }: CheckedDocument, operationName: string | undefined): CachedQuery | undefined {
  // GraphQL names have no escapes, so a document without this text has no such directive and need not be parsed again.
  if (!text.includes('cached')) return undefined
  const { definitions } = parse(text)
  const operation = definitions.find(node => node.kind === Kind.OPERATION_DEFINITION && node.name?.value === operationName)
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return undefined
  const [directive, second] = operation.directives?.filter(isCached) ?? []
  if (directive === undefined) return undefined
  if (second !== undefined) throw badDirective('must not be repeated on a query')
  const given = new Map(directive.arguments?.map(({ name, value }) => [name.value, value]))
  for (const name of given.keys()) if (name !== 'ttl' && name !== 'refresh') throw badDirective('takes only the arguments ttl and refresh')

  const usedElsewhere = variablesUsed(
    definitions.filter(node => node === operation || node.kind === Kind.FRAGMENT_DEFINITION),
    directive
  )
  const ownVariables = new Set([...variablesUsed([directive])].filter(name => !usedElsewhere.has(name)))
  const own = operation.variableDefinitions?.filter(({ variable }) => ownVariables.has(variable.name.value)) ?? []
  const sent = cut(text, [spanOf(text, directive), ...declarationSpans(operation, own)])
  return {
    document: { text: sent, json: JSON.stringify(sent), operations },
    fingerprint: fingerprintOf(sent),
    ownVariables,
    ttl: argumentOf(given.get('ttl'), operation),
    refresh: argumentOf(given.get('refresh'), operation)
  }
}

const isCached = ({ name }: { name: { value: string } }) => name.value === 'cached'

const badDirective = (problem: string) => new GatewayError('INVALID_REQUEST', { message: `The directive @cached ${problem}.` })

/** Returns the variables that nodes use; declarations and the directive `leftOut` do not count. */
function variablesUsed(nodes: readonly ASTNode[], leftOut?: DirectiveNode): Set<string> {
  const names = new Set<string>()
  for (const node of nodes) {
    visit(node, {
      VariableDefinition: () => false,
      Directive: directive => (directive === leftOut ? false : undefined),
      Variable: ({ name }) => void names.add(name.value)
    })
  }
  return names
}

function argumentOf(value: ValueNode | undefined, { variableDefinitions = [] }: OperationDefinitionNode): Argument {
  if (value?.kind !== Kind.VARIABLE) return value && { value, byDefault: undefined }
  const declaration = variableDefinitions.find(({ variable }) => variable.name.value === value.name.value)
  if (declaration === undefined) throw badDirective(`uses $${value.name.value}, which the query does not declare`)
  return { value, byDefault: declaration.defaultValue }
}

/** Part of a text, as start index and end index; the end is exclusive. */
type Span = readonly [start: number, end: number]
type Located = { readonly loc?: { readonly start: number; readonly end: number } | undefined }

const startOf = ({ loc }: Located) => loc?.start ?? 0
const endOf = ({ loc }: Located) => loc?.end ?? 0

/** Returns the span of a directive with the blanks before it, but not a line break, which may end a comment. */
function spanOf(text: string, directive: Located): Span {
  let start = startOf(directive)
  while (/[ \t]/.test(text.charAt(start - 1))) start--
  return [start, endOf(directive)]
}

/** Returns the spans of declarations, each with the separator to its neighbour; including the parentheses if no declaration is left. */
function declarationSpans({ variableDefinitions: all = [] }: OperationDefinitionNode, own: readonly VariableDefinitionNode[]): Span[] {
  const [first, last] = [all[0], all.at(-1)]
  if (own.length === 0 || first === undefined || last === undefined) return []
  if (own.length === all.length) {
    let [opening, closing] = [first.loc?.startToken, last.loc?.endToken]
    while (opening && opening.kind !== TokenKind.PAREN_L) opening = opening.prev ?? undefined
    while (closing && closing.kind !== TokenKind.PAREN_R) closing = closing.next ?? undefined
    return [[opening?.start ?? 0, closing?.end ?? 0]]
  }
  return own.map((node): Span => {
    const at = all.indexOf(node)
    const [before, next] = [all[at - 1], all[at + 1]]
    if (next !== undefined) return [startOf(node), startOf(next)]
    return [before === undefined ? startOf(node) : endOf(before), endOf(node)]
  })
}

/** Returns a text without the given spans, which may overlap. */
function cut(text: string, spans: readonly Span[]): string {
  let rest = ''
  let at = 0
  for (const [start, end] of [...spans].sort(([a], [b]) => a - b)) {
    if (start > at) rest += text.slice(at, start)
    at = Math.max(at, end)
  }
  return rest + text.slice(at)
}

/** Returns the hash of a document's tokens, which ignores layout and comments. */
function fingerprintOf(text: string): string {
  const lexer = new Lexer(new Source(text))
  const tokens: string[] = []
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) tokens.push(text.slice(token.start, token.end))
  return hash('sha256', tokens.join(' '), 'base64')
}

/**
 * Reads the arguments of the directive, and removes the variables that only the directive uses.
 * @param variables the JSON text of an object
 * @throws {GatewayError} `INVALID_REQUEST` for a `ttl` that is not a whole number from 1 to {@link TTL_MAX_SECONDS}, or a `refresh` that is
 *   not a boolean
 */
export function readCacheWish({ ttl, refresh, ownVariables }: CachedQuery, variables: string | undefined): CacheWish {
  const isAnyVariable = ttl?.value.kind === Kind.VARIABLE || refresh?.value.kind === Kind.VARIABLE
  const members = isAnyVariable && variables !== undefined ? readMembers(variables) : undefined
  const ttlSeconds = argumentValue(ttl, members) ?? TTL_DEFAULT_SECONDS
  const isRefresh = argumentValue(refresh, members) ?? false
  if (typeof ttlSeconds !== 'number' || !Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > TTL_MAX_SECONDS)
    throw badDirective(`needs a ttl of 1 to ${TTL_MAX_SECONDS} seconds, as a whole number`)
  if (typeof isRefresh !== 'boolean') throw badDirective('needs true or false for refresh')
  return { ttlSeconds, refresh: isRefresh, variables: members ? without(ownVariables, members, variables) : variables }
}

/** Returns the value of an argument; undefined if neither the query nor the request gives one. */
function argumentValue(argument: Argument, members: ReadonlyMap<string, string> | undefined): unknown {
  if (argument === undefined) return undefined
  const { value, byDefault } = argument
  if (value.kind !== Kind.VARIABLE) return literalValue(value)
  const given = members?.get(value.name.value)
  if (given !== undefined) return JSON.parse(given) ?? NO_VALUE
  return byDefault && literalValue(byDefault)
}

/** Stands for null and for literals of a type that neither argument accepts. */
const NO_VALUE = Symbol('no value')

function literalValue(node: ValueNode): unknown {
  if (node.kind === Kind.INT) return Number(node.value)
  return node.kind === Kind.BOOLEAN ? node.value : NO_VALUE
}

/** Returns the JSON text of the variables without some of them. */
function without(names: ReadonlySet<string>, members: ReadonlyMap<string, string>, variables: string | undefined): string | undefined {
  const kept = [...members].filter(([name]) => !names.has(name))
  if (kept.length === members.size) return variables
  return kept.length === 0 ? undefined : writeMembers(kept)
}
