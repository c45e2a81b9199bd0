// The limits of a document, and the errors for a document that exceeds them.
import { GatewayError } from '../errors.ts'

/** The settings `GRAPHQL_MAX_*`. */
export type DocumentLimits = {
  /** Maximum selection depth, with fragments expanded; `{ a }` is 1. */
  maxDepth: number
  /** Maximum number of lexical tokens, comments included; parsing stops there. */
  maxTokens: number
  /** Maximum number of fields of all operations, with fragments expanded. */
  maxFields: number
  /** Maximum number of aliases of all operations, with fragments expanded. */
  maxAliases: number
  /** Maximum number of directives in the document. */
  maxDirectives: number
}

/** How deeply braces, brackets and parentheses may be nested, with fragments expanded. This bounds every recursion over a document. */
export const NESTING_MAX = 200

/** The error `LIMIT_EXCEEDED` for a document that exceeds the limit of a setting. */
export const overLimit = (setting: string, limit: number): GatewayError =>
  new GatewayError('LIMIT_EXCEEDED', { message: `The document exceeds the limit ${setting} of ${limit}.` })

/** The error `LIMIT_EXCEEDED` for a document that exceeds {@link NESTING_MAX}. */
export const overNesting = (): GatewayError =>
  new GatewayError('LIMIT_EXCEEDED', {
    message: `The document exceeds the limit of ${NESTING_MAX} nested braces, brackets and parentheses.`
  })
