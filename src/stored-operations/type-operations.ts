// Creates catalogs of operations that are typed by a schema, or only by their declarations.
import type { GraphQLSchema } from 'graphql'
import { OperationCatalog } from './operation-catalog.ts'
import { createOperationVariables } from './operation-variables.ts'
import type { StoredOperation } from './stored-operation.ts'
import { type Misfits, problemsInTurns, problemsWithSchema } from './validate-operation.ts'

/** Creates a catalog of operations that are already validated; default: without a schema. */
export const createCatalog = (operations: readonly StoredOperation[], schema?: GraphQLSchema, misfits: Misfits = new Map()) =>
  new OperationCatalog(operations, { schema, misfits, createVariables: createOperationVariables })

/**
 * Types operations by a schema. Validates a few per turn of the event loop, so that requests are served meanwhile.
 * @throws an `AbortError` when the signal aborts
 */
export async function typeOperations(
  operations: readonly StoredOperation[],
  schema: GraphQLSchema,
  signal?: AbortSignal
): Promise<OperationCatalog> {
  return createCatalog(operations, schema, await problemsInTurns(operations, batch => problemsWithSchema(schema, batch), signal))
}
