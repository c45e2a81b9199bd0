// Is a stored operation sound in itself, and does it fit a schema?
import {
  buildSchema,
  type DocumentNode,
  FieldsOnCorrectTypeRule,
  FragmentsOnCompositeTypesRule,
  type GraphQLSchema,
  Kind,
  KnownArgumentNamesRule,
  KnownDirectivesRule,
  KnownFragmentNamesRule,
  KnownOperationTypesRule,
  KnownTypeNamesRule,
  NoFragmentCyclesRule,
  NoUndefinedVariablesRule,
  NoUnusedFragmentsRule,
  OverlappingFieldsCanBeMergedRule,
  PossibleFragmentSpreadsRule,
  ProvidedRequiredArgumentsRule,
  ScalarLeafsRule,
  UniqueArgumentNamesRule,
  UniqueDirectivesPerLocationRule,
  UniqueFragmentNamesRule,
  UniqueInputFieldNamesRule,
  UniqueVariableNamesRule,
  type ValidationRule,
  ValuesOfCorrectTypeRule,
  VariablesAreInputTypesRule,
  VariablesInAllowedPositionRule,
  validate
} from 'graphql'
import { locatedDocument } from './located-document.ts'
import { type FileProblem, problemOf } from './operations-error.ts'
import { isPlainlySound } from './plainly-sound.ts'
import type { StoredOperation } from './stored-operation.ts'

/** The rules that need no schema. */
const OWN_RULES: readonly ValidationRule[] = [
  KnownFragmentNamesRule,
  NoFragmentCyclesRule,
  NoUndefinedVariablesRule,
  NoUnusedFragmentsRule,
  UniqueArgumentNamesRule,
  UniqueFragmentNamesRule,
  UniqueInputFieldNamesRule,
  UniqueVariableNamesRule
]
/**
 * The rules that look at the schema. Of the others of GraphQL, those for unused variables are left out, since Hasura lets them be, and
 * those that a file of the folder can't break.
 */
const SCHEMA_RULES: readonly ValidationRule[] = [
  KnownOperationTypesRule,
  KnownTypeNamesRule,
  FragmentsOnCompositeTypesRule,
  VariablesAreInputTypesRule,
  ScalarLeafsRule,
  FieldsOnCorrectTypeRule,
  PossibleFragmentSpreadsRule,
  KnownDirectivesRule,
  UniqueDirectivesPerLocationRule,
  KnownArgumentNamesRule,
  ValuesOfCorrectTypeRule,
  ProvidedRequiredArgumentsRule,
  VariablesInAllowedPositionRule,
  OverlappingFieldsCanBeMergedRule
]

/** Enough of an operation's faults to begin with. */
const MAX_ERRORS = 10
const NO_SCHEMA = buildSchema('type Query { _: Int }')

/** How many operations are validated at once. */
const BATCH_SIZE = 50

/** The faults of operations that have any. */
export type Misfits = ReadonlyMap<StoredOperation, readonly FileProblem[]>

/** Faults that no schema could mend: unknown, unused or circular fragments, undeclared variables, things of one name. */
export const problemsWithoutSchema = (operations: readonly StoredOperation[]): Misfits =>
  new Map(
    batchesOf(operations.filter(operation => !isPlainlySound(operation))).flatMap(batch => [...problemsUnder(NO_SCHEMA, OWN_RULES, batch)])
  )

/** Where operations do not fit a schema; those of {@link problemsWithoutSchema} are not looked for again. */
export const problemsWithSchema = (schema: GraphQLSchema, operations: readonly StoredOperation[]): Misfits =>
  problemsUnder(schema, SCHEMA_RULES, operations)

/** Parts of a list that are validated at once. */
export const batchesOf = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / BATCH_SIZE) }, (_, index) => items.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE))

/** All at once as one document, which costs a fraction; each for itself only where that shows a fault, or the names of fragments may clash. */
function problemsUnder(schema: GraphQLSchema, rules: readonly ValidationRule[], operations: readonly StoredOperation[]): Misfits {
  const { true: alone = [], false: together = [] } = Object.groupBy(operations, operation => `${operation.hasOwnFragments}` as const)
  const definitions = new Set(together.flatMap(({ ast }) => ast.definitions))
  const whole: DocumentNode = { kind: Kind.DOCUMENT, definitions: [...definitions] }
  const isSound = together.length === 0 || validate(schema, whole, rules, { maxErrors: 1 }).length === 0
  const misfits = new Map<StoredOperation, FileProblem[]>()
  for (const operation of isSound ? alone : operations) {
    if (validate(schema, operation.ast, rules, { maxErrors: 1 }).length === 0) continue
    const errors = validate(schema, locatedDocument(operation), rules, { maxErrors: MAX_ERRORS })
    const problems = errors.map(error => problemOf(error, operation.path))
    misfits.set(operation, problems)
  }
  return misfits
}
