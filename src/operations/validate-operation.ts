// Is a stored operation sound in itself, and does it fit a schema?
import {
  buildSchema,
  type GraphQLSchema,
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
// Hasura lets a declared variable go unused.
const SCHEMA_RULES = specifiedRules.filter(rule => rule !== NoUnusedVariablesRule && !OWN_RULES.includes(rule))

/** Enough of an operation's faults to begin with. */
const MAX_ERRORS = 10
const NO_SCHEMA = buildSchema('type Query { _: Int }')

/** Faults that no schema could mend: unknown, unused or circular fragments, undeclared variables, things of one name. */
export const problemsWithoutSchema = (operation: StoredOperation): FileProblem[] => problemsUnder(NO_SCHEMA, OWN_RULES, operation)

/** Where an operation does not fit a schema; those of {@link problemsWithoutSchema} are not looked for again. */
export const problemsWithSchema = (schema: GraphQLSchema, operation: StoredOperation): FileProblem[] =>
  problemsUnder(schema, SCHEMA_RULES, operation)

const problemsUnder = (schema: GraphQLSchema, rules: readonly ValidationRule[], { ast, path }: StoredOperation) =>
  validate(schema, ast, rules, { maxErrors: MAX_ERRORS }).map(error => problemOf(error, path))
