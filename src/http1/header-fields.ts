// Header fields as a request carries them.

const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Writes header fields, each with its line break.
 * @param namesAndValues names and values in turn; the names are trusted to be tokens
 * @throws {TypeError} where a value would break out of its line, or holds what is no byte (RFC 9110, section 5.5)
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
