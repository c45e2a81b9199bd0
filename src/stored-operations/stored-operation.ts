// Creates a stored operation from the content of its file.
import {
  type ConstValueNode,
  type DefinitionNode,
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  Source,
  type TypeNode
} from 'graphql/language'
import type { CheckedDocument, OperationKind } from '../graphql/document.ts'
import { quoteBlockStrings } from '../graphql/quoted-block-strings.ts'
import { parseExample, readHead } from './head-comment.ts'
import type { SourceFile } from './operation-folder.ts'
import type { FileProblem } from './operations-error.ts'

/** A declared variable. */
export type VariableDeclaration = {
  readonly name: string
  /** In GraphQL's notation, such as `[Int!]!`. */
  readonly type: string
  readonly typeNode: TypeNode
  /** Whether a value must be given, because the type is non-null and there is no default. */
  readonly isRequired: boolean
  /** The default as a JSON value; numbers keep their digits. */
  readonly defaultValue: unknown
  readonly description: string | undefined
}

/** A stored operation. */
export type StoredOperation = {
  /** The name of the file without extension; the route is `/operations/<name>`. */
  readonly name: string
  /** The path of the file, for messages to an operator. */
  readonly path: string
  readonly kind: OperationKind
  /** The operation's name in the document; no two stored operations share one. */
  readonly operationName: string
  readonly description: string | undefined
  /** Example variables; numbers keep their digits. */
  readonly example: Readonly<Record<string, unknown>> | undefined
  readonly variables: readonly VariableDeclaration[]
  readonly definition: OperationDefinitionNode
  /** The operation's file, and those of the shared fragments that it uses. */
  readonly files: readonly SourceFile[]
  /** The operation and every fragment that it uses, without `loc`. */
  readonly ast: DocumentNode
  /** Whether the file contains fragments, whose names may also occur in other files. */
  readonly hasOwnFragments: boolean
  /** The document that is sent to Hasura. */
  readonly document: CheckedDocument
}

/**
 * Creates an operation from the content of a file.
 * @param own the definitions in the file
 * @param shared the shared fragments that it uses
 * @param refuse called if the `@example` is invalid
 */
export function createStoredOperation(
  file: SourceFile,
  definition: OperationDefinitionNode,
  own: readonly DefinitionNode[],
  shared: ReadonlyMap<DefinitionNode, SourceFile>,
  refuse: (problem: FileProblem) => void
): StoredOperation {
  const { name, path, text } = file
  const operationName = definition.name?.value ?? ''
  const kind = definition.operation
  const definitions = [...own, ...shared.keys()]
  const variables = declarationsOf(definition)
  const { description, exampleText, exampleLine } = readHead(text)
  const example = exampleText === undefined ? undefined : parseExample(exampleText, variables)
  if (typeof example === 'string') refuse({ file: path, line: exampleLine, reason: example })
  const sentText = quoteBlockStrings(print({ kind: Kind.DOCUMENT, definitions: definitions.map(withoutDescriptions) }))
  return {
    name,
    path,
    kind,
    operationName,
    description: definition.description?.value ?? description,
    example: typeof example === 'string' ? undefined : example,
    variables,
    definition,
    files: [file, ...new Set(shared.values())],
    ast: { kind: Kind.DOCUMENT, definitions },
    hasOwnFragments: own.length > 1,
    document: { text: sentText, json: JSON.stringify(sentText), operations: [{ kind, name: operationName }] }
  }
}

/** Returns the variables of an operation, in the order of the document. */
export function declarationsOf({ variableDefinitions = [] }: OperationDefinitionNode): VariableDeclaration[] {
  return variableDefinitions.map(({ variable, type, defaultValue, description }) => ({
    name: variable.name.value,
    type: print(type),
    typeNode: type,
    isRequired: type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined,
    defaultValue: defaultValue && literalValue(defaultValue),
    description: description?.value
  }))
}

/** Returns the JSON value of a literal; numbers keep their digits. */
function literalValue(node: ConstValueNode): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null
    case Kind.INT:
    case Kind.FLOAT:
      return JSON.rawJSON(node.value)
    case Kind.LIST:
      return node.values.map(literalValue)
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, literalValue(value)]))
    default:
      return node.value
  }
}

/**
 * Parses the files of an operation again, to get an `ast` with `loc`. Only error messages need `loc`, and with ten thousand operations it
 * would take most of the memory.
 */
export function locatedDocument({ ast, files }: StoredOperation): DocumentNode {
  const wanted = new Set(ast.definitions.map(keyOf))
  const definitions = files.flatMap(({ path, text }) => parse(new Source(text, path)).definitions)
  return { kind: Kind.DOCUMENT, definitions: definitions.filter(definition => wanted.has(keyOf(definition))) }
}

const keyOf = (node: DefinitionNode): string => `${node.kind} ${'name' in node ? node.name?.value : ''}`

/** Removes the descriptions of an operation or fragment and its variables, which Hasura's parser does not know. */
function withoutDescriptions(node: DefinitionNode): DefinitionNode {
  if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) return node
  const variableDefinitions = node.variableDefinitions?.map(variable => ({ ...variable, description: undefined }))
  return { ...node, description: undefined, variableDefinitions }
}
