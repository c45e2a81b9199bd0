// The document of an operation with the places of its parts; for messages alone, since places take most of a document's memory.
import { type DefinitionNode, type DocumentNode, Kind, parse, Source } from 'graphql'
import type { StoredOperation } from './stored-operation.ts'

/** Parses the files of an operation once more, for a document that is the same but for `loc`. */
export function locatedDocument({ ast, files }: StoredOperation): DocumentNode {
  const wanted = new Set(ast.definitions.map(keyOf))
  const definitions = files.flatMap(({ path, text }) => parse(new Source(text, path)).definitions)
  return { kind: Kind.DOCUMENT, definitions: definitions.filter(definition => wanted.has(keyOf(definition))) }
}

const keyOf = (node: DefinitionNode): string => `${node.kind} ${'name' in node ? node.name?.value : ''}`
