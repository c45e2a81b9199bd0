// Validates operations, on their own and against a schema.
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  buildSchema,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  KnownFragmentNamesRule,
  NoFragmentCyclesRule,
  NoUndefinedVariablesRule,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  specifiedRules,
  UniqueArgumentNamesRule,
  UniqueFragmentNamesRule,
  UniqueInputFieldNamesRule,
  UniqueVariableNamesRule,
  type ValidationRule,
  validate
} from 'graphql'
import { type FileProblem, problemOf } from './operations-error.ts'
import { locatedDocument, type StoredOperation } from './stored-operation.ts'

/** The rules that need no schema. */
const RULES_WITHOUT_SCHEMA: readonly ValidationRule[] = [
  KnownFragmentNamesRule,
  NoFragmentCyclesRule,
  NoUndefinedVariablesRule,
  NoUnusedFragmentsRule,
  UniqueArgumentNamesRule,
  UniqueFragmentNamesRule,
  UniqueInputFieldNamesRule,
  UniqueVariableNamesRule
]
/** All other rules except one: Hasura allows a variable that is declared and never used. */
const RULES_WITH_SCHEMA = specifiedRules.filter(rule => rule !== NoUnusedVariablesRule && !RULES_WITHOUT_SCHEMA.includes(rule))

/** The most faults that are reported for one operation. */
const MAX_ERRORS = 10
const NO_SCHEMA = buildSchema('type Query { _: Int }')

/** How many operations are validated together. */
const BATCH_SIZE = 50
/** The longest that validation may block the event loop in one turn, in ms. */
const TURN_MAX_MS = 10

/** The operations that have faults, with their faults. */
export type Misfits = ReadonlyMap<StoredOperation, readonly FileProblem[]>

/** Finds faults that exist under any schema, such as unknown fragments, undeclared variables and duplicate names. */
export const problemsWithoutSchema = (operations: readonly StoredOperation[]): Misfits =>
  new Map(batchesOf(operations).flatMap(batch => [...problemsUnder(NO_SCHEMA, RULES_WITHOUT_SCHEMA, batch)]))

/** Finds the faults of operations against a schema; the operations must have passed {@link problemsWithoutSchema}. */
export const problemsWithSchema = (schema: GraphQLSchema, operations: readonly StoredOperation[]): Misfits =>
  problemsUnder(schema, RULES_WITH_SCHEMA, operations)

/**
 * Finds faults in a few operations per turn of the event loop, so that requests are served meanwhile.
 * @throws an `AbortError` when the signal aborts
 */
export async function problemsInTurns(
  operations: readonly StoredOperation[],
  find: (batch: readonly StoredOperation[]) => Misfits,
  signal?: AbortSignal
): Promise<Misfits> {
  const misfits = new Map<StoredOperation, readonly FileProblem[]>()
  let turnEndsAtMs = performance.now() + TURN_MAX_MS
  for (const batch of batchesOf(operations)) {
    for (const [operation, problems] of find(batch)) misfits.set(operation, problems)
    if (performance.now() < turnEndsAtMs) continue
    await nextTurn(undefined, { ...(signal && { signal }) })
    turnEndsAtMs = performance.now() + TURN_MAX_MS
  }
  return misfits
}

/** Splits a list into batches small enough to be validated together. */
const batchesOf = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / BATCH_SIZE) }, (_, index) => items.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE))

/**
 * Validates a batch as one document, which costs a fraction of validating each operation. Operations are validated one by one only if that
 * finds a fault, or if they have fragments of their own, whose names may clash.
 */
function problemsUnder(schema: GraphQLSchema, rules: readonly ValidationRule[], operations: readonly StoredOperation[]): Misfits {
  const { true: alone = [], false: together = [] } = Object.groupBy(operations, ({ hasOwnFragments }) => `${hasOwnFragments}` as const)
  const definitions = new Set(together.flatMap(({ ast }) => ast.definitions))
  const whole: DocumentNode = { kind: Kind.DOCUMENT, definitions: [...definitions] }
  const isValid = together.length === 0 || validate(schema, whole, rules, { maxErrors: 1 }).length === 0
  const misfits = new Map<StoredOperation, FileProblem[]>()
  for (const operation of isValid ? alone : operations) {
    if (validate(schema, operation.ast, rules, { maxErrors: 1 }).length === 0) continue
    const errors = validate(schema, locatedDocument(operation), rules, { maxErrors: MAX_ERRORS })
    misfits.set(
      operation,
      errors.map(error => problemOf(error, operation.path))
    )
  }
  return misfits
}
