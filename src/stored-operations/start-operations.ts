// Loads the operations at start: parses them before the service listens, and validates them afterwards, since validation is slow to load.
import type { LoadedOperations } from './load-operations.ts'
import type { OperationFolder } from './operation-folder.ts'
import { OperationsError } from './operations-error.ts'
import { parseFolder } from './parse-operations.ts'
import type { StoredOperation } from './stored-operation.ts'

/**
 * Parses a folder, which needs only the parser of graphql-js.
 * @throws {OperationsError} that names every bad file
 */
export async function parseAtStart(folder: OperationFolder): Promise<LoadedOperations> {
  const { operations, problems } = parseFolder(folder, new Map(), { noLocation: true })
  const hasTwins = new Set(operations.map(({ operationName }) => operationName)).size < operations.length
  if (problems.length === 0 && !hasTwins) return { folder, operations, problems }
  const { loadOperations } = await import('./load-operations.ts')
  return loadOperations(folder)
}

/**
 * Finds what parsing does not, such as unknown fragments and undeclared variables. Resolves if the operations are valid.
 * @throws {OperationsError} that names every bad file
 */
export async function checkAfterStart(operations: readonly StoredOperation[]): Promise<void> {
  const { problemsInTurns, problemsWithoutSchema } = await import('./validate-operation.ts')
  const faults = await problemsInTurns(operations, problemsWithoutSchema)
  if (faults.size > 0) throw new OperationsError([...faults.values()].flat())
}
