// JSON whose numbers keep their digits, as in Hasura and Postgres, unlike JavaScript's own numbers.

/** A JSON number kept as its text; `JSON.stringify` writes it unchanged. */
export interface ExactNumber {
  readonly rawJSON: string
}

const { parse, rawJSON, isRawJSON } = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
  rawJSON(text: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
}

/** Returns a number that is written with exactly these digits. Throws a SyntaxError if `text` is not JSON. */
export const exactNumber = rawJSON

/** Whether the value is a number kept as text. */
export const isExactNumber = isRawJSON

/**
 * Parses JSON. A number that JavaScript would round or shorten (9007199254740993, 19.90, 1e400) becomes an {@link ExactNumber};
 * small whole numbers stay plain, however they are written. Throws a SyntaxError for anything but JSON.
 */
export function parseExactly(text: string): unknown {
  return parse(text, keepDigits)
}

/** The reviver of {@link parseExactly}, for code that calls `JSON.parse` itself. */
export function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  if (typeof value !== 'number' || source === undefined) return value
  return Number.isSafeInteger(value) || String(value) === source ? value : rawJSON(source)
}
