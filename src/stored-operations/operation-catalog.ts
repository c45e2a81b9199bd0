// The catalog of stored operations: finds one by name or by document, and says whether it matches the schema and what its variables are.
import type { GraphQLSchema } from 'graphql'
import { GatewayError } from '../errors.ts'
import type { CheckedDocument } from '../graphql/document.ts'
import type { createOperationVariables, OperationVariables } from './operation-variables.ts'
import { describeProblem, type FileProblem } from './operations-error.ts'
import { createFinder } from './same-document.ts'
import type { StoredOperation } from './stored-operation.ts'
import type { Misfits } from './validate-operation.ts'

/** The most operations that `/health/ready` names; the log names them all. */
const NAMED_MAX = 10

/** The result of typing operations. */
type Typing = {
  /** Undefined until there is a schema. */
  readonly schema: GraphQLSchema | undefined
  /** The operations that do not match the schema, with their problems. */
  readonly misfits: Misfits
  readonly createVariables: typeof createOperationVariables
}

/**
 * All stored operations at one moment; a change of files or schema creates a new catalog. This file does not import graphql-js's types:
 * src/stored-operations/type-operations.ts creates the catalogs that have operations.
 */
export class OperationCatalog {
  /** Sorted by name. */
  readonly operations: readonly StoredOperation[]
  /** The schema that types the operations; undefined until there is one. */
  readonly schema: GraphQLSchema | undefined
  /** The operations that do not match the schema, with their problems. */
  readonly misfits: Misfits
  readonly #byName: ReadonlyMap<string, StoredOperation>
  readonly #findEqual: (document: CheckedDocument) => StoredOperation | undefined
  readonly #createVariables: typeof createOperationVariables
  readonly #variables = new Map<StoredOperation, OperationVariables>()

  constructor(operations: readonly StoredOperation[], { schema, misfits, createVariables }: Typing) {
    this.operations = operations
    this.schema = schema
    this.misfits = misfits
    this.#createVariables = createVariables
    this.#byName = new Map(operations.map(operation => [operation.name, operation]))
    this.#findEqual = createFinder(operations)
  }

  /** Returns the operation with a name, if there is one. */
  get(name: string): StoredOperation | undefined {
    return this.#byName.get(name)
  }

  /**
   * Returns the stored operation that equals a caller's document, ignoring layout, comments and the order of definitions.
   * @throws {GatewayError} `OPERATION_NOT_ALLOWED` if there is none, `OPERATION_UNAVAILABLE` if it does not match the schema
   */
  require(document: CheckedDocument): StoredOperation {
    const operation = this.#findEqual(document)
    if (operation === undefined)
      throw new GatewayError('OPERATION_NOT_ALLOWED', { message: 'Only stored operations may run: see /operations.' })
    this.#assertAvailable(operation)
    return operation
  }

  /**
   * Returns the reader of an operation's variables.
   * @throws {GatewayError} `OPERATION_UNAVAILABLE` if it does not match the schema
   */
  variablesOf(operation: StoredOperation): OperationVariables {
    this.#assertAvailable(operation)
    let variables = this.#variables.get(operation)
    if (variables === undefined) {
      variables = this.#createVariables(operation.variables, this.schema)
      this.#variables.set(operation, variables)
    }
    return variables
  }

  /** Returns sentences for an operator about operations that do not match the schema; empty if all do. */
  reasons(): string[] {
    const reasons = [...this.misfits].slice(0, NAMED_MAX).map(([{ name }, problems]) => describeMisfit(name, problems))
    const more = this.misfits.size - NAMED_MAX
    return more > 0 ? [...reasons, `${more} more stored operations do not match Hasura's schema: see the log.`] : reasons
  }

  #assertAvailable(operation: StoredOperation): void {
    if (this.misfits.has(operation)) throw new GatewayError('OPERATION_UNAVAILABLE')
  }
}

/** Returns the catalog of a folder without operations, which needs no types. */
export const emptyCatalog = (): OperationCatalog =>
  new OperationCatalog([], {
    schema: undefined,
    misfits: new Map(),
    createVariables: () => {
      throw new Error('an empty catalog has no operation with variables')
    }
  })

/** Describes, in one sentence for an operator, why a stored operation does not match the schema. */
export const describeMisfit = (name: string, problems: readonly FileProblem[]): string =>
  `The stored operation ${name} does not match Hasura's schema and is answered 503: ${problems.map(describeProblem).join('; ')}`
