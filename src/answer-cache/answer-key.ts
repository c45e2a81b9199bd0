// Computes the cache key of an answer: a hash of everything that the answer depends on.
import { hash } from 'node:crypto'

/** What an answer depends on. No part contains a NUL character: GraphQL names, JSON and header values cannot. */
type AnswerParts = {
  /** The fingerprint of the document, which ignores layout. */
  readonly fingerprint: string
  readonly operationName: string | undefined
  /** The JSON text of the variables. */
  readonly variables: string | undefined
  readonly role: string | undefined
  /** The values of the forwarded request headers, in a fixed order. */
  readonly headers: readonly (string | undefined)[]
  readonly takesGzip: boolean
}

const NONE = '\u0001'

/** Returns the key: 43 characters of `[A-Za-z0-9_-]`. */
export function answerKey({ fingerprint, operationName, variables, role, headers, takesGzip }: AnswerParts): string {
  const parts = [fingerprint, operationName, variables, role, ...headers].map(part => part ?? NONE)
  return hash('sha256', `${parts.join('\0')}\0${takesGzip}`, 'base64url')
}
