// Writes the header fields of a request.

const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Returns header fields as text, each with its line break.
 * @param namesAndValues names and values, alternating; the names are not checked and must be tokens
 * @throws {TypeError} if a value contains a line break, or a character that is not one byte (RFC 9110, section 5.5)
 */
export function writeFields(namesAndValues: readonly string[]): string {
  let lines = ''
  for (let n = 0; n + 1 < namesAndValues.length; n += 2) {
    const value = namesAndValues[n + 1] ?? ''
    if (!FIELD_VALUE.test(value)) throw new TypeError(`not a header value: ${namesAndValues[n]}`)
    lines += `${namesAndValues[n]}: ${value}\r\n`
  }
  return lines
}
