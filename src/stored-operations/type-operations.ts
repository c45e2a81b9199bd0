// Makes catalogs of operations, typed by a schema or by their declarations alone.
import type { GraphQLSchema } from 'graphql'
import { OperationCatalog } from './operation-catalog.ts'
import { createOperationVariables } from './operation-variables.ts'
import type { StoredOperation } from './stored-operation.ts'
import { type Misfits, problemsInTurns, problemsWithSchema } from './validate-operation.ts'

/** Makes a catalog of operations that were validated before; default: there is no schema. */
export const createCatalog = (operations: readonly StoredOperation[], schema?: GraphQLSchema, misfits: Misfits = new Map()) =>
  new OperationCatalog(operations, { schema, misfits, createVariables: createOperationVariables })

/**
 * Types operations by a schema. They are validated a few at a turn of the event loop, so that requests go on meanwhile.
 * @throws an `AbortError` when the signal aborts
 */
export async function typeOperations(
  operations: readonly StoredOperation[],
  schema: GraphQLSchema,
  signal?: AbortSignal
): Promise<OperationCatalog> {
  return createCatalog(operations, schema, await problemsInTurns(operations, batch => problemsWithSchema(schema, batch), signal))
}
