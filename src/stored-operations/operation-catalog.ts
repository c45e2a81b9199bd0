// The stored operations of the service and what is known of each: does it fit the schema, and what are its variables?
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { GraphQLSchema } from 'graphql'
import { GatewayError } from '../errors.ts'
import { createOperationVariables, type OperationVariables } from './operation-variables.ts'
import { describeProblem, type FileProblem } from './operations-error.ts'
import { type CallersDocument, createFinder } from './same-document.ts'
import type { StoredOperation } from './stored-operation.ts'
import { batchesOf, type Misfits, problemsWithSchema } from './validate-operation.ts'

/** How long validation may hold up requests at a stretch, in ms. */
const TURN_MAX_MS = 10
/** Operations that are named to an operator; the log names all. */
const NAMED_MAX = 10

/** All stored operations; the schema may come later. */
export class OperationCatalog {
  readonly operations: readonly StoredOperation[]
  /** The stored operation that a caller's document equals but for layout and comments. */
  readonly find: (document: CallersDocument) => StoredOperation | undefined
  /** Why there is no schema and will be none, for the operator. */
  schemaProblem: string | undefined
  readonly #parseJson: (text: string) => unknown
  #schema: GraphQLSchema | undefined
  #problems: Misfits = new Map()
  #variables = new WeakMap<StoredOperation, OperationVariables>()

  /** @param parseJson reads JSON so that numbers keep their digits */
  constructor(operations: readonly StoredOperation[], parseJson: (text: string) => unknown) {
    this.operations = operations
    this.find = createFinder(operations)
    this.#parseJson = parseJson
  }

  /** The schema that types the operations; undefined until there is one. */
  get schema(): GraphQLSchema | undefined {
    return this.#schema
  }

  /** What does not fit the schema, by operation. */
  get problems(): Misfits {
    return this.#problems
  }

  /** Validates every operation, a few at a turn of the event loop, then types them all by the schema. */
  async useSchema(schema: GraphQLSchema, signal?: AbortSignal): Promise<void> {
    const problems = new Map<StoredOperation, readonly FileProblem[]>()
    let turnEndsAtMs = performance.now() + TURN_MAX_MS
    for (const batch of batchesOf(this.operations)) {
      for (const [operation, found] of problemsWithSchema(schema, batch)) problems.set(operation, found)
      if (performance.now() < turnEndsAtMs) continue
      await nextTurn(undefined, { ...(signal && { signal }) })
      turnEndsAtMs = performance.now() + TURN_MAX_MS
    }
    this.#schema = schema
    this.#problems = problems
    this.#variables = new WeakMap()
  }

  /**
   * The variables of an operation that may run.
   * @throws {GatewayError} `OPERATION_UNAVAILABLE`
   */
  variablesOf(operation: StoredOperation): OperationVariables {
    this.assertAvailable(operation)
    let variables = this.#variables.get(operation)
    if (variables === undefined) {
      variables = createOperationVariables(operation.variables, this.#schema, this.#parseJson)
      this.#variables.set(operation, variables)
    }
    return variables
  }

  /** @throws {GatewayError} `OPERATION_UNAVAILABLE` for an operation that does not fit the schema */
  assertAvailable(operation: StoredOperation): void {
    if (this.#problems.has(operation)) throw new GatewayError('OPERATION_UNAVAILABLE')
  }

  /** What an operator should look at, in words; empty when all is well. */
  reasons(): string[] {
    const reasons = [...this.#problems].slice(0, NAMED_MAX).map(([{ name }, problems]) => describeMisfit(name, problems))
    const more = this.#problems.size - NAMED_MAX
    if (more > 0) reasons.push(`${more} more stored operations do not fit Hasura's schema: see the log.`)
    return this.schemaProblem === undefined ? reasons : [this.schemaProblem, ...reasons]
  }
}

/** A stored operation's faults as one sentence for an operator. */
export const describeMisfit = (name: string, problems: readonly FileProblem[]): string =>
  `The stored operation ${name} does not fit Hasura's schema and is answered 503: ${problems.map(describeProblem).join('; ')}`
