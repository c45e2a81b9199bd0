// Recognizes Hasura's streaming subscriptions by the argument `cursor`, and writes the request that resumes one after its last row.
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
// Imported from its own file, because 'graphql/utilities' would load graphql-js's types and validation.
import { valueFromASTUntyped } from 'graphql/utilities/valueFromASTUntyped'
import { ExactNumber, isObject, parseExact, readMembers, writeMembers } from '../json.ts'
import type { SubscriptionRequest } from './subscription-request.ts'

/** The last row of a streaming subscription: the values of its cursor's columns. */
export type LastRow = Readonly<Record<string, unknown>>

/** A streaming subscription (Hasura v2, "Streaming subscriptions"). */
export type StreamPlan = {
  /** Reads an answer: its last row, undefined if there are no rows, and whether it is empty, that is, has neither rows nor errors. */
  read(answer: string): { lastRow: LastRow | undefined; isEmpty: boolean }
  /** Returns the request that resumes after a row; undefined if the cursor's columns are not all selected under their own names. */
  requestBehind(row: LastRow): SubscriptionRequest | undefined
}

/** The only root field of a streaming subscription, and its cursor. */
type Root = { field: FieldNode; cursor: ArgumentNode; columns: readonly string[]; responseKey: string }

/** Returns the plan of a streaming subscription; undefined for a live query. */
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
    // Nested too deeply, or two members with the same name: there may be rows, but none to resume after.
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

/** Yields the fields of a selection, including those of fragments; the document's check guarantees that there is no cycle. */
function* fieldsOf(selectionSet: SelectionSetNode | undefined, fragments: Fragments): Generator<FieldNode> {
  for (const node of selectionSet?.selections ?? []) {
    if (node.kind === Kind.FIELD) yield node
    // A fragment with a directive may be left out of the answer.
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

/** Returns the columns that are always selected under their own names. */
function selectedColumns(selectionSet: SelectionSetNode | undefined, fragments: Fragments): ReadonlySet<string> {
  const columns = new Set<string>()
  for (const { name, alias, directives } of fieldsOf(selectionSet, fragments)) {
    if (!directives?.length && (alias === undefined || alias.value === name.value)) columns.add(name.value)
  }
  return columns
}

type Variables = Readonly<Record<string, unknown>>
type CursorEntry = Readonly<Record<string, unknown>>

/** Returns the cursor's entries, one per column; a single object counts as a list of one (GraphQL specification, section 3.11). */
function cursorEntries(value: ValueNode, variables: Variables): readonly CursorEntry[] {
  const cursor: unknown = valueFromASTUntyped(value, variables)
  return (Array.isArray(cursor) ? cursor : [cursor]).map(asObject)
}

/** Writes the cursor after a row as a GraphQL literal; undefined if a value is not a scalar. */
function writeCursor(entries: readonly CursorEntry[], row: LastRow): string | undefined {
  const written = entries.map(({ initial_value, ordering }) => {
    const values = Object.keys(asObject(initial_value)).map(column => [column, writeScalar(row[column])] as const)
    if (values.some(([, text]) => text === undefined)) return undefined
    const start = `initial_value: {${values.map(([column, text]) => `${column}: ${text}`).join(', ')}}`
    return typeof ordering === 'string' ? `{${start}, ordering: ${ordering}}` : `{${start}}`
  })
  return written.includes(undefined) ? undefined : `[${written.join(', ')}]`
}

/** Writes a scalar as a GraphQL literal, which JSON's are; undefined for null and composite values, from which no stream can resume. */
function writeScalar(value: unknown): string | undefined {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value instanceof ExactNumber
  return isScalar ? JSON.stringify(value) : undefined
}

/** Returns the request with another cursor, without variables that only the old one used: Hasura refuses values of undeclared ones. */
function rewrite(request: SubscriptionRequest, document: DocumentNode, old: ArgumentNode, cursor: string): SubscriptionRequest {
  const replaced: DocumentNode = visit(document, { Argument: node => (node === old ? { ...node, value: parseValue(cursor) } : undefined) })
  const used = variablesIn(replaced)
  const gone = new Set([...variablesIn(old)].filter(name => !used.has(name)))
  const rewritten: DocumentNode = visit(replaced, { VariableDefinition: ({ variable }) => (gone.has(variable.name.value) ? null : false) })
  const members = request.variables === undefined ? undefined : readMembers(request.variables)
  const variables = members && writeMembers([...members].filter(([name]) => !gone.has(name)))
  return { ...request, query: print(rewritten), variables }
}

/** Returns the variables that are used, not those that are declared. */
function variablesIn(node: ASTNode): ReadonlySet<string> {
  const names = new Set<string>()
  visit(node, { VariableDefinition: () => false, Variable: ({ name }) => void names.add(name.value) })
  return names
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {})
