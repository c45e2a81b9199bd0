// Rewrites block strings that Hasura's parser would end at another place than the specification.
import { Lexer, Source, type Token, TokenKind } from 'graphql/language'

/**
 * Returns a document in which every block string with a backslash is a quoted string of the same value; the rest is unchanged byte for
 * byte. At some escaped quotes, such as `\\"""`, Hasura v2 ends a block string where the specification (section 2.9.4) does not. It would
 * then run text inside the string: a mutation in a document that was checked as a query. Every such difference involves a backslash.
 * @param text a document that parses
 * @param blockStrings the tokens of its block strings, in order; default: found by lexing the text
 */
export function quoteBlockStrings(text: string, blockStrings: Iterable<Token> = blockStringsIn(text)): string {
  let quoted = ''
  let end = 0
  for (const token of blockStrings) {
    if (!text.slice(token.start, token.end).includes('\\')) continue
    // JSON's escapes are a subset of GraphQL's.
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
