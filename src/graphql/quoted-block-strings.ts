// Block strings that every GraphQL parser ends at the same place.
import { Lexer, Source, type Token, TokenKind } from 'graphql/language'

/**
 * Returns a document with every block string that holds a backslash written as a quoted string of the same value; the rest stays byte for byte.
 * Hasura v2 ends a block string at some escaped quotes where the specification (section 2.9.4) does not, such as `\\"""`, and would run what
 * is text to this parser: a mutation in what was checked as a query. Every such difference takes a backslash.
 * @param text a document that parses
 * @param blockStrings the tokens of its block strings, in their order; default: they are looked for
 */
export function quoteBlockStrings(text: string, blockStrings: Iterable<Token> = blockStringsIn(text)): string {
  let quoted = ''
  let end = 0
  for (const token of blockStrings) {
    if (!text.slice(token.start, token.end).includes('\\')) continue
    // JSON's escapes are a part of GraphQL's.
    quoted += text.slice(end, token.start) + JSON.stringify(token.value)
    end = token.end
  }
  return quoted + text.slice(end)
}

function* blockStringsIn(text: string): Generator<Token> {
  const lexer = new Lexer(new Source(text))
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    if (token.kind === TokenKind.BLOCK_STRING) yield token
  }
}
