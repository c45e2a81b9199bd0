// Hasura's streaming subscriptions: told by the argument `cursor`, and taken up again behind the last row that came.
import {
  type ArgumentNode,
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  parseValue,
  print,
  type SelectionSetNode,
  type ValueNode,
  visit
} from 'graphql/language'
// By its own file: all of 'graphql/utilities' would bring GraphQL's types and validation with it.
import { valueFromASTUntyped } from 'graphql/utilities/valueFromASTUntyped'
import { ExactNumber, parseExact, readMembers } from '../json.ts'
import type { SubscriptionRequest } from './subscription-request.ts'

/** The last row of a streaming subscription: the values of its cursor's columns. */
export type LastRow = Readonly<Record<string, unknown>>

/** A streaming subscription (Hasura v2, "Streaming subscriptions"). */
export type StreamPlan = {
  /** Reads an answer: its last row, undefined where it holds none, and whether it holds nothing else either. */
  read(answer: string): { lastRow: LastRow | undefined; isEmpty: boolean }
  /** The request that goes on behind a row; undefined where the cursor's columns are not all selected under their own names. */
  requestBehind(row: LastRow): SubscriptionRequest | undefined
}

/** What is to be known of a streaming subscription's one root field. */
type Root = { field: FieldNode; cursor: ArgumentNode; columns: readonly string[]; responseKey: string }

/** The plan of a streaming subscription; undefined for a live query. */
export function planStream(request: SubscriptionRequest): StreamPlan | undefined {
  const document = parse(request.query)
  const operation = operationOf(document, request.operationName)
  const fragments = fragmentsOf(document)
  const variables = request.variables === undefined ? {} : asObject(parseExact(request.variables))
  const root = operation && rootOf(operation, fragments, variables)
  if (root === undefined) return undefined
  const entries = cursorEntries(root.cursor.value, variables)
  const selected = selectedColumns(root.field.selectionSet, fragments)
  const isResumable = root.columns.length > 0 && root.columns.every(column => selected.has(column))
  return {
    read: answer => readRows(answer, root.responseKey),
    requestBehind: row => {
      const cursor = isResumable ? writeCursor(entries, row) : undefined
      return cursor === undefined ? undefined : rewrite(request, document, root.cursor, cursor)
    }
  }
}

function readRows(answer: string, responseKey: string): ReturnType<StreamPlan['read']> {
  let content: Readonly<Record<string, unknown>>
  try {
    content = asObject(parseExact(answer))
  } catch {
    // Nested beyond the bounds, or two members of one name: there may be rows, but none to go on behind.
    return { lastRow: {}, isEmpty: false }
  }
  const { data, errors } = content
  const rows = asObject(data)[responseKey]
  if (!Array.isArray(rows)) return { lastRow: undefined, isEmpty: false }
  return { lastRow: rows.length > 0 ? asObject(rows.at(-1)) : undefined, isEmpty: rows.length === 0 && errors === undefined }
}

function operationOf({ definitions }: DocumentNode, name: string | undefined): OperationDefinitionNode | undefined {
  return definitions.filter(node => node.kind === Kind.OPERATION_DEFINITION).find(node => name === undefined || node.name?.value === name)
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>

const fragmentsOf = ({ definitions }: DocumentNode): Fragments =>
  new Map(definitions.filter(node => node.kind === Kind.FRAGMENT_DEFINITION).map(node => [node.name.value, node]))

/** The fields of a selection, those of fragments included; without a cycle, as the document's check has made sure. */
function* fieldsOf(selectionSet: SelectionSetNode | undefined, fragments: Fragments): Generator<FieldNode> {
  for (const node of selectionSet?.selections ?? []) {
    if (node.kind === Kind.FIELD) yield node
    // What a directive may leave out can't be relied on.
    else if (node.directives?.length) continue
    else if (node.kind === Kind.INLINE_FRAGMENT) yield* fieldsOf(node.selectionSet, fragments)
    else yield* fieldsOf(fragments.get(node.name.value)?.selectionSet, fragments)
  }
}

function rootOf({ selectionSet }: OperationDefinitionNode, fragments: Fragments, variables: Variables): Root | undefined {
  for (const field of fieldsOf(selectionSet, fragments)) {
    const cursor = field.arguments?.find(({ name }) => name.value === 'cursor')
    if (cursor === undefined) continue
    const columns = cursorEntries(cursor.value, variables).flatMap(({ initial_value }) => Object.keys(asObject(initial_value)))
    return { field, cursor, columns, responseKey: (field.alias ?? field.name).value }
  }
  return undefined
}

/** The columns that are selected under their own names, come what may. */
function selectedColumns(selectionSet: SelectionSetNode | undefined, fragments: Fragments): ReadonlySet<string> {
  const columns = new Set<string>()
  for (const { name, alias, directives } of fieldsOf(selectionSet, fragments)) {
    if (!directives?.length && (alias === undefined || alias.value === name.value)) columns.add(name.value)
  }
  return columns
}

type Variables = Readonly<Record<string, unknown>>
type CursorEntry = Readonly<Record<string, unknown>>

/** The cursor's value, one entry a column; a single object stands for a list of it (GraphQL specification, section 3.11). */
function cursorEntries(value: ValueNode, variables: Variables): readonly CursorEntry[] {
  const cursor: unknown = valueFromASTUntyped(value, variables)
  return (Array.isArray(cursor) ? cursor : [cursor]).map(asObject)
}

/** The cursor behind a row as GraphQL writes it; undefined where a value has no such form. */
function writeCursor(entries: readonly CursorEntry[], row: LastRow): string | undefined {
  const written = entries.map(({ initial_value, ordering }) => {
    const values = Object.keys(asObject(initial_value)).map(column => [column, writeScalar(row[column])] as const)
    if (values.some(([, text]) => text === undefined)) return undefined
    const start = `initial_value: {${values.map(([column, text]) => `${column}: ${text}`).join(', ')}}`
    return typeof ordering === 'string' ? `{${start}, ordering: ${ordering}}` : `{${start}}`
  })
  return written.includes(undefined) ? undefined : `[${written.join(', ')}]`
}

/** A scalar as a GraphQL literal, which JSON's are; null and composite values are no place to go on from. */
function writeScalar(value: unknown): string | undefined {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value instanceof ExactNumber
  return isScalar ? JSON.stringify(value) : undefined
}

/** The request with another cursor, less the variables that stood in the old one alone: Hasura minds a value that nobody declares. */
function rewrite(request: SubscriptionRequest, document: DocumentNode, old: ArgumentNode, cursor: string): SubscriptionRequest {
  const replaced: DocumentNode = visit(document, { Argument: node => (node === old ? { ...node, value: parseValue(cursor) } : undefined) })
  const used = variablesIn(replaced)
  const gone = new Set([...variablesIn(old)].filter(name => !used.has(name)))
  const rewritten: DocumentNode = visit(replaced, { VariableDefinition: ({ variable }) => (gone.has(variable.name.value) ? null : false) })
  return { ...request, query: print(rewritten), variables: request.variables && without(request.variables, gone) }
}

/** A JSON object's text without some members; the others keep theirs. */
function without(text: string, names: ReadonlySet<string>): string {
  const kept = [...(readMembers(text) ?? [])].filter(([name]) => !names.has(name))
  return `{${kept.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
}

/** The variables that are used, not those that are declared. */
function variablesIn(node: ASTNode): ReadonlySet<string> {
  const names = new Set<string>()
  visit(node, { VariableDefinition: () => false, Variable: ({ name }) => void names.add(name.value) })
  return names
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {}
