// Which stored operation a caller's document is, layout and comments aside.
import { type DocumentNode, GraphQLError, parse, print } from 'graphql'
import type { StoredOperation } from './stored-operation.ts'

/** A document that a caller sent, parsed and found to be within the limits before. */
export type CallersDocument = { readonly text: string; readonly operations: readonly { readonly name: string | undefined }[] }

/**
 * A finder of the stored operation that a document equals but for layout, comments and the order of its definitions.
 * Known documents are remembered as long as they live, so that each is compared once.
 */
export function createFinder(operations: Iterable<StoredOperation>) {
  const byOperationName = new Map<string, StoredOperation>()
  for (const operation of operations) byOperationName.set(operation.operationName, operation)
  const found = new WeakMap<CallersDocument, StoredOperation | undefined>()
  const normalStored = new Map<StoredOperation, string>()

  const find = ({ text, operations: [first] }: CallersDocument): StoredOperation | undefined => {
    const candidate = first?.name === undefined ? undefined : byOperationName.get(first.name)
    if (candidate === undefined) return undefined
    let normal = normalStored.get(candidate)
    if (normal === undefined) {
      normal = normalForm(parse(candidate.document.text))
      normalStored.set(candidate, normal)
    }
    const document = parseOrNothing(text)
    return document && normalForm(document) === normal ? candidate : undefined
  }

  return (document: CallersDocument): StoredOperation | undefined => {
    if (found.has(document)) return found.get(document)
    const operation = find(document)
    found.set(document, operation)
    return operation
  }
}

const normalForm = ({ definitions }: DocumentNode): string => definitions.map(print).sort().join('\n')

function parseOrNothing(text: string): DocumentNode | undefined {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof GraphQLError || error instanceof RangeError) return undefined
    throw error
  }
}
