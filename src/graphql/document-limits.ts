// How large a document may be, and how a caller hears that one is larger.
import { GatewayError } from '../errors.ts'

/** The settings `GRAPHQL_MAX_*`. */
export type DocumentLimits = {
  /** Deepest selection, fragments followed; `{ a }` is 1. */
  maxDepth: number
  /** Lexical tokens, comments included; parsing stops there. */
  maxTokens: number
  /** Fields of all operations, each spread of a fragment counted anew. */
  maxFields: number
  /** Aliases of all operations, each spread of a fragment counted anew. */
  maxAliases: number
  /** Directives anywhere in the document. */
  maxDirectives: number
}

/** How many braces, brackets and parentheses may stand within each other, fragments followed. It bounds every recursion over a document. */
export const NESTING_MAX = 200

/** The error for a document that is over the limit of a setting: `LIMIT_EXCEEDED`. */
export const overLimit = (setting: string, limit: number): GatewayError =>
  new GatewayError('LIMIT_EXCEEDED', { message: `The document is over the limit ${setting} of ${limit}.` })

/** The error for a document that is over {@link NESTING_MAX}: `LIMIT_EXCEEDED`. */
export const overNesting = (): GatewayError =>
  new GatewayError('LIMIT_EXCEEDED', {
    message: `The document is over the limit of ${NESTING_MAX} braces, brackets and parentheses within each other.`
  })
