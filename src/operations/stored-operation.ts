// One file of the folder as an operation that can be run.
import { type DefinitionNode, type DocumentNode, Kind, type OperationDefinitionNode, print } from 'graphql'
import type { SourceFile } from './operation-folder.ts'
import { declarationsOf, type VariableDeclaration } from './variable-declaration.ts'

/** What a stored operation does; a subscription can not be stored. */
export type StoredKind = 'query' | 'mutation'

/** An operation of the folder. */
export type StoredOperation = {
  /** The name of its file, without the ending; its route is `/operations/<name>`. */
  readonly name: string
  /** Where it was read, for the operator. */
  readonly path: string
  readonly kind: StoredKind
  /** Its name in the document; no two stored operations share one. */
  readonly operationName: string
  readonly description: string | undefined
  readonly variables: readonly VariableDeclaration[]
  readonly definition: OperationDefinitionNode
  /** The operation and every fragment that it uses. */
  readonly ast: DocumentNode
  /** What Hasura is sent, in the form in which a checked document is run. */
  readonly document: {
    readonly text: string
    readonly json: string
    readonly operations: readonly [{ readonly kind: StoredKind; readonly name: string }]
  }
}

/**
 * Makes an operation of what a file was found to hold.
 * @param definitions the operation and every fragment that it uses
 */
export function createStoredOperation(
  { name, path, text }: SourceFile,
  definition: OperationDefinitionNode & { readonly operation: StoredKind },
  definitions: readonly DefinitionNode[]
): StoredOperation {
  const operationName = definition.name?.value ?? ''
  const kind = definition.operation
  const ast: DocumentNode = { kind: Kind.DOCUMENT, definitions: [...definitions] }
  const sent = print({ kind: Kind.DOCUMENT, definitions: definitions.map(withoutDescriptions) })
  return {
    name,
    path,
    kind,
    operationName,
    description: definition.description?.value ?? headComment(text),
    variables: declarationsOf(definition),
    definition,
    ast,
    document: { text: sent, json: JSON.stringify(sent), operations: [{ kind, name: operationName }] }
  }
}

/** Descriptions in quotes are newer than Hasura's parser. */
function withoutDescriptions(node: DefinitionNode): DefinitionNode {
  if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) return node
  const variableDefinitions = node.variableDefinitions?.map(variable => ({ ...variable, description: undefined }))
  return { ...node, description: undefined, variableDefinitions }
}

/** The text of the `#` lines at the head of a file; an empty line parts paragraphs. */
function headComment(text: string): string | undefined {
  const lines: string[] = []
  for (const line of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
    const trimmed = line.trim()
    if (trimmed !== '' && !trimmed.startsWith('#')) break
    lines.push(trimmed.replace(/^#+ ?/, ''))
  }
  return lines.join('\n').trim() || undefined
}
