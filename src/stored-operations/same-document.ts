// Finds the stored operation that equals a caller's document, ignoring layout and comments.
import { GraphQLError } from 'graphql/error'
import { type DocumentNode, parse, print } from 'graphql/language'
import type { CheckedDocument } from '../graphql/document.ts'
import type { StoredOperation } from './stored-operation.ts'

/**
 * Returns a function that finds the stored operation that equals a document, ignoring layout, comments and the order of definitions.
 * Each document is compared once: the result is cached for as long as the document is.
 */
export function createFinder(operations: Iterable<StoredOperation>): (document: CheckedDocument) => StoredOperation | undefined {
  const byOperationName = new Map<string | undefined, StoredOperation>()
  for (const operation of operations) byOperationName.set(operation.operationName, operation)
  const found = new WeakMap<CheckedDocument, StoredOperation | undefined>()

  const find = ({ text, operations: [first] }: CheckedDocument): StoredOperation | undefined => {
    const candidate = byOperationName.get(first?.name)
    return candidate && normalForm(text) === normalForm(candidate.document.text) ? candidate : undefined
  }

  return document => {
    if (!found.has(document)) found.set(document, find(document))
    return found.get(document)
  }
}

/** Returns the same text for equal documents; undefined if a document does not parse. */
function normalForm(text: string): string | undefined {
  try {
    const { definitions }: DocumentNode = parse(text, { noLocation: true })
    return definitions.map(print).sort().join('\n')
  } catch (error) {
    if (error instanceof GraphQLError || error instanceof RangeError) return undefined
    throw error
  }
}
