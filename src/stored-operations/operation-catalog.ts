// The stored operations at one moment, and what is known of each: does it fit the schema, and what are its variables?
import type { GraphQLSchema } from 'graphql'
import { GatewayError } from '../errors.ts'
import type { CheckedDocument } from '../graphql/document.ts'
import type { createOperationVariables, OperationVariables } from './operation-variables.ts'
import { describeProblem, type FileProblem } from './operations-error.ts'
import { createFinder } from './same-document.ts'
import type { StoredOperation } from './stored-operation.ts'
import type { Misfits } from './validate-operation.ts'

/** The most operations that are named to an operator; the log names them all. */
const NAMED_MAX = 10

/** What typing tells of operations. */
export type Typing = {
  /** Undefined until there is one. */
  readonly schema: GraphQLSchema | undefined
  /** What does not fit the schema, by operation. */
  readonly misfits: Misfits
  readonly createVariables: typeof createOperationVariables
}

/**
 * All stored operations as they stand; a change of files or schema makes another catalog. It brings no part of GraphQL's types of its own:
 * src/stored-operations/type-operations.ts makes those that hold any operation.
 */
export class OperationCatalog {
  /** In the order of their names. */
  readonly operations: readonly StoredOperation[]
  /** The schema that types the operations; undefined until there is one. */
  readonly schema: GraphQLSchema | undefined
  /** What does not fit the schema, by operation. */
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

  /** Returns the operation of a name, if there is one. */
  get(name: string): StoredOperation | undefined {
    return this.#byName.get(name)
  }

  /**
   * Returns the stored operation that a caller's document equals but for layout, comments and the order of its definitions.
   * @throws {GatewayError} `OPERATION_NOT_ALLOWED` if there is none, `OPERATION_UNAVAILABLE` if it does not fit the schema
   */
  require(document: CheckedDocument): StoredOperation {
    const operation = this.#findEqual(document)
    if (operation === undefined)
      throw new GatewayError('OPERATION_NOT_ALLOWED', { message: 'Only stored operations may run: see /operations.' })
    this.#assertAvailable(operation)
    return operation
  }

  /**
   * Returns what reads the variables of an operation.
   * @throws {GatewayError} `OPERATION_UNAVAILABLE` if it does not fit the schema
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

  /** Returns what an operator should look at, in words; empty when all is well. */
  reasons(): string[] {
    const reasons = [...this.misfits].slice(0, NAMED_MAX).map(([{ name }, problems]) => describeMisfit(name, problems))
    const more = this.misfits.size - NAMED_MAX
    return more > 0 ? [...reasons, `${more} more stored operations do not fit Hasura's schema: see the log.`] : reasons
  }

  #assertAvailable(operation: StoredOperation): void {
    if (this.misfits.has(operation)) throw new GatewayError('OPERATION_UNAVAILABLE')
  }
}

/** The catalog of a folder without operations, which takes no types. */
export const emptyCatalog = (): OperationCatalog =>
  new OperationCatalog([], {
    schema: undefined,
    misfits: new Map(),
    createVariables: () => {
      throw new Error('there is no operation whose variables could be read')
    }
  })

/** Describes the faults of a stored operation in one sentence for an operator. */
export const describeMisfit = (name: string, problems: readonly FileProblem[]): string =>
  `The stored operation ${name} does not fit Hasura's schema and is answered 503: ${problems.map(describeProblem).join('; ')}`
