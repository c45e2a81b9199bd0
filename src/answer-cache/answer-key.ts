// The key of an answer: a hash of everything that it depends on.
import { hash } from 'node:crypto'

/** What an answer depends on. No part may hold a NUL character; neither GraphQL names, JSON nor header values can. */
export type AnswerParts = {
  /** Of the document, but for its layout. */
  readonly fingerprint: string
  readonly operationName: string | undefined
  /** As JSON text. */
  readonly variables: string | undefined
  readonly role: string | undefined
  /** The values of the request headers that go on, in a fixed order. */
  readonly headers: readonly (string | undefined)[]
  readonly takesGzip: boolean
}

const NONE = '\u0001'

/** Returns the key: 43 characters of `[A-Za-z0-9_-]`. */
export function answerKey({ fingerprint, operationName, variables, role, headers, takesGzip }: AnswerParts): string {
  const parts = [fingerprint, operationName, variables, role, ...headers].map(part => part ?? NONE)
  return hash('sha256', `${parts.join('\0')}\0${takesGzip}`, 'base64url')
}
