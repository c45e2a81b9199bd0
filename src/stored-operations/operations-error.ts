// What is wrong with the files of the stored operations.
import type { GraphQLError } from 'graphql'

/** One fault of a file; lines count from 1, and a fault of the whole file has no line. */
export type FileProblem = { readonly file: string; readonly line?: number; readonly reason: string }

/** Thrown when files of stored operations are bad; its message names file, line and reason of each. */
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

/** Describes in one sentence for an operator what became of a bad file of a folder that has changed. */
export const describeRefusal = (problem: FileProblem): string =>
  `A change in the folder of stored operations was refused, and the version before it stays: ${describeProblem(problem)}`

/**
 * Turns an error of graphql into a fault of the file it points to, which may hold shared fragments.
 * @param file the file if the error points nowhere
 */
export function problemOf({ message, source, locations }: GraphQLError, file: string): FileProblem {
  const line = locations?.[0]?.line
  return { file: source?.name ?? file, ...(line !== undefined && { line }), reason: message }
}
