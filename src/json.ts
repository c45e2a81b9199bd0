// JSON in, with every number's text kept; JSON out, with that text again (TC39 "JSON.parse source text access", in V8 since Node 21).

// TypeScript's own library does not know these yet.
declare global {
  interface JSON {
    rawJSON(text: string): object
    isRawJSON(value: unknown): boolean
    parse(text: string, reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown): unknown
  }
}

// An integer of 15 digits or fewer comes out as it went in; looks like no other number stands after a separator.
const MAY_LOSE_DIGITS = /[:,[\s](?:-0|-?\d+[.eE]|-?\d{16})|^(?:-0|-?\d+[.eE]|-?\d{16})/

/**
 * Parses JSON so that `JSON.stringify` writes each number with the digits it had: 9007199254740993, 1.0, -0 and 1e400 stay.
 * Such a number is an object that only `JSON.stringify` reads; {@link isRawNumber} tells it.
 * @throws {SyntaxError} for text that is not JSON, {@link RangeError} for nesting beyond the stack
 */
export function parseLossless(text: string): unknown {
  if (!MAY_LOSE_DIGITS.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && source !== String(value) ? JSON.rawJSON(source) : value
  )
}

/** Whether a parsed value is a number that is held as its text. */
export const isRawNumber = (value: unknown): boolean => JSON.isRawJSON(value)
