// Reads the tokens of a document and stops at the limits, so that the text beyond them costs nothing.
import { Lexer, Source, type Token, TokenKind } from 'graphql/language'
import { type DocumentLimits, NESTING_MAX, overLimit, overNesting } from './document-limits.ts'

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L])
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R])

/**
 * A lexer for graphql-js's parser. Pass the parser `maxComments` as well, because it reads a run of comments in one step.
 * Throws a {@link GatewayError} `LIMIT_EXCEEDED` at the first token over `maxTokens` or over {@link NESTING_MAX}.
 */
export class BoundedLexer extends Lexer {
  /** Directives read so far, counted by their `@`. */
  directives = 0
  /** Block strings read so far. */
  readonly blockStrings: Token[] = []
  readonly #maxTokens: number
  #tokens = 0
  #nesting = 0

  constructor(text: string, { maxTokens }: Pick<DocumentLimits, 'maxTokens'>) {
    super(new Source(text))
    this.#maxTokens = maxTokens
  }

  override advance(): Token {
    const token = super.advance()
    this.#tokens += countTokens(this.lastToken, token)
    if (this.#tokens > this.#maxTokens) throw overLimit('GRAPHQL_MAX_TOKENS', this.#maxTokens)
    if (OPENING.has(token.kind) && ++this.#nesting > NESTING_MAX) throw overNesting()
    if (CLOSING.has(token.kind)) this.#nesting--
    if (token.kind === TokenKind.AT) this.directives++
    if (token.kind === TokenKind.BLOCK_STRING) this.blockStrings.push(token)
    return token
  }

  override lookahead(): Token {
    try {
      return super.lookahead()
    } catch (error) {
      // The text after the last allowed token is a comment too many, or not a token at all.
      if (this.#tokens + countTokens(this.token) >= this.#maxTokens) throw overLimit('GRAPHQL_MAX_TOKENS', this.#maxTokens)
      throw error
    }
  }
}

/** Counts the tokens after `after`, up to and including `last` or as far as they have been read; the end of the file does not count. */
function countTokens(after: Token, last?: Token): number {
  let count = 0
  for (let token = after.next; token && token.kind !== TokenKind.EOF; token = token.next) {
    count++
    if (token === last) break
  }
  return count
}
