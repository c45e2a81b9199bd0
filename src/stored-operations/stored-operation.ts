// One file of the folder as an operation that can be run.
import { type DefinitionNode, type DocumentNode, Kind, type OperationDefinitionNode, print } from 'graphql'
import { quoteBlockStrings } from '../graphql/quoted-block-strings.ts'
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
  /** Its file, and those of the shared fragments that it uses. */
  readonly files: readonly SourceFile[]
  /** The operation and every fragment that it uses. */
  readonly ast: DocumentNode
  /** Whether fragments stand in its file, whose names another file may give to others. */
  readonly hasOwnFragments: boolean
  /** What Hasura is sent. */
  readonly document: SentDocument
}

/**
 * Makes an operation of what a file was found to hold.
 * @param own what stands in the file
 * @param shared the shared fragments that it uses
 */
export function createStoredOperation(
  file: SourceFile,
  definition: OperationDefinitionNode & { readonly operation: StoredKind },
  own: readonly DefinitionNode[],
  shared: ReadonlyMap<DefinitionNode, SourceFile>
): StoredOperation {
  const { name, path, text } = file
  const operationName = definition.name?.value ?? ''
  const kind = definition.operation
  const ast: DocumentNode = { kind: Kind.DOCUMENT, definitions: [...own, ...shared.keys()] }
  return {
    name,
    path,
    kind,
    operationName,
    description: definition.description?.value ?? headComment(text),
    variables: declarationsOf(definition),
    definition,
    files: [file, ...new Set(shared.values())],
    ast,
    hasOwnFragments: own.length > 1,
    document: new SentDocument(ast, kind, operationName)
  }
}

/** A stored document in the form in which a checked one is run; it is written when it is first needed, since there may be thousands. */
export class SentDocument {
  readonly operations: readonly [{ readonly kind: StoredKind; readonly name: string }]
  readonly #ast: DocumentNode
  #text: string | undefined
  #json: string | undefined

  constructor(ast: DocumentNode, kind: StoredKind, name: string) {
    this.#ast = ast
    this.operations = [{ kind, name }]
  }

  get text(): string {
    this.#text ??= quoteBlockStrings(print({ kind: Kind.DOCUMENT, definitions: this.#ast.definitions.map(withoutDescriptions) }))
    return this.#text
  }

  get json(): string {
    this.#json ??= JSON.stringify(this.text)
    return this.#json
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
  const [head] = /^\ufeff?(\s*#[^\r\n]*)*/.exec(text) ?? ['']
  const lines = head.split(/\r\n|\n|\r/).map(line => line.trim().replace(/^\ufeff?#+ ?/, ''))
  return lines.join('\n').trim() || undefined
}
