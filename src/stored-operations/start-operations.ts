// The operations of a start: parsed before the service listens, checked by GraphQL's validation once there is time to load it.
import type { LoadedOperations } from './load-operations.ts'
import type { OperationFolder } from './operation-folder.ts'
import { OperationsError } from './operations-error.ts'
import { parseFolder } from './parse-operations.ts'
import type { StoredOperation } from './stored-operation.ts'

/**
 * Parses a folder, which takes GraphQL's language alone.
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
 * Finds what parsing does not: unknown fragments, undeclared variables and their like. Resolves once the operations are found to be sound.
 * @throws {OperationsError} that names every bad file
 */
export async function checkAfterStart(operations: readonly StoredOperation[]): Promise<void> {
  const { problemsInTurns, problemsWithoutSchema } = await import('./validate-operation.ts')
  const faults = await problemsInTurns(operations, problemsWithoutSchema)
  if (faults.size > 0) throw new OperationsError([...faults.values()].flat())
}
