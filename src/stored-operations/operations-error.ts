// Describes what is wrong with the files of stored operations.
import type { GraphQLError } from 'graphql'

/** One fault in a file; lines count from 1, and a fault of the whole file has no line. */
export type FileProblem = { readonly file: string; readonly line?: number; readonly reason: string }

/** Thrown if files of stored operations are bad; the message names file, line and reason for each fault. */
export class OperationsError extends Error {
  override readonly name = 'OperationsError'
  readonly problems: readonly FileProblem[]

  constructor(problems: readonly FileProblem[]) {
    super(`Bad stored operations:\n${problems.map(problem => `  ${describeProblem(problem)}`).join('\n')}`)
    this.problems = problems
  }
}

/** Describes a fault in one line: `operations/users.graphql:3: reason`. */
export const describeProblem = ({ file, line, reason }: FileProblem): string => `${file}${line === undefined ? '' : `:${line}`}: ${reason}`

/** Describes, in one sentence for an operator, why a changed file was refused. */
export const describeRefusal = (problem: FileProblem): string =>
  `A change in the folder of stored operations was refused, and the previous version stays in use: ${describeProblem(problem)}`

/**
 * Turns an error of graphql-js into a fault of the file that it points to, which may be one of shared fragments.
 * @param file the file to name if the error points to none
 */
export function problemOf({ message, source, locations }: GraphQLError, file: string): FileProblem {
  const line = locations?.[0]?.line
  return { file: source?.name ?? file, ...(line !== undefined && { line }), reason: message }
}
