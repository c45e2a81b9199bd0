// Reads JSON without rounding numbers: as the texts of an object's members, or as values whose numbers keep their digits.

// TypeScript's library does not declare these yet.
declare global {
  interface JSON {
    rawJSON(text: string): object
    isRawJSON(value: unknown): boolean
  }
}

/** How deeply objects and arrays may be nested. This bounds every recursion over a value. */
export const JSON_NESTING_MAX = 1_000
/** The most members that the outermost object may have. */
export const JSON_MEMBERS_MAX = 1_000

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPENING_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

/** Whether a parsed value is a JSON object, and no list. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Returns the text of each member of a JSON object by name, in one scan of the outermost level. If two members have the same name, the
 * last one counts, as with `JSON.parse`. Returns undefined for text that does not begin with an object.
 *
 * Only the outermost level is checked against the grammar: the text is JSON (RFC 8259) if `JSON.parse` accepts the text of each member.
 * @throws {RangeError} beyond {@link JSON_NESTING_MAX} or {@link JSON_MEMBERS_MAX}
 * @throws {SyntaxError} for an object that is not JSON
 */
export function readMembers(text: string): ReadonlyMap<string, string> | undefined {
  const beginsAsObject = /^[ \t\n\r]*\{/.test(text)
  const members = new Map<string, string>()
  let count = 0
  let depth = 0
  let name: string | undefined
  let start = 0
  const endMember = (end: number) => {
    if (name === undefined) throw new SyntaxError('a member without a colon')
    if (++count > JSON_MEMBERS_MAX) throw new RangeError(`over the limit of ${JSON_MEMBERS_MAX} members`)
    const hidden = members.get(name)
    if (hidden !== undefined) JSON.parse(hidden)
    members.set(name, sliceOf(text, start, end))
    name = undefined
    start = end + 1
  }
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case COLON:
        if (depth === 1 && beginsAsObject) {
          if (name !== undefined) throw new SyntaxError('two colons in a member')
          name = parseString(text.slice(start, at))
          start = at + 1
        }
        break
      case COMMA:
        if (depth === 1 && beginsAsObject) endMember(at)
        break
      case OPENING_BRACE:
      case OPENING_BRACKET:
        if (++depth > JSON_NESTING_MAX) throw new RangeError('nested too deeply')
        if (depth === 1) start = at + 1
        break
      case CLOSING_BRACE:
      case CLOSING_BRACKET:
        if (--depth > 0 || !beginsAsObject) break
        if (count > 0 || name !== undefined || !isBlank(text.slice(start, at))) endMember(at)
        if (text.charCodeAt(at) !== CLOSING_BRACE || !isBlank(text.slice(at + 1))) throw new SyntaxError('not the end of the object')
        return members
    }
  }
  if (beginsAsObject) throw new SyntaxError('the object does not end')
  return undefined
}

/** Writes a JSON object from the texts of its members, each of them JSON. */
export const writeMembers = (members: Iterable<readonly [name: string, text: string]>): string =>
  `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`

/** Returns part of a text, trimmed. Only JSON's white space is removed, so that the parser refuses any other. */
function sliceOf(text: string, start: number, end: number): string {
  let [from, to] = [start, end]
  while (from < to && isWhiteSpace(text.charCodeAt(from))) from++
  while (from < to && isWhiteSpace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

const isWhiteSpace = (code: number) => code === SPACE || (code >= 0x09 && code <= 0x0d && code !== 0x0b && code !== 0x0c)

const isBlank = (text: string) => /^[ \t\n\r]*$/.test(text)

function parseString(text: string): string {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'string') throw new SyntaxError('a name that is not a string')
  return value
}

/** A number kept as its text, such as 9007199254740993, 1.0, -0 or 1e400. `JSON.stringify` writes that text. */
export class ExactNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toJSON(): object {
    return JSON.rawJSON(this.text)
  }
}

/** Thrown for an object with two members of the same name, since parsers disagree on which of them counts. */
export class DuplicateMemberError extends Error {
  override readonly name = 'DuplicateMemberError'
}

/**
 * Parses JSON and keeps every digit: integers of up to 15 digits become numbers, all other numbers {@link ExactNumber}.
 * @throws {SyntaxError} for text that is not JSON
 * @throws {DuplicateMemberError} for two members of the same name in one object
 * @throws {RangeError} beyond {@link JSON_NESTING_MAX}
 */
export function parseExact(text: string): unknown {
  JSON.parse(text)
  return readExact(text)
}

/** Like {@link parseExact}, for text that is known to be JSON, such as that of a member. */
export const readExact = (text: string): unknown => new ExactReader(text).read()

// JavaScript writes these numbers with the digits that it read.
const PLAIN_NUMBER = /^(?:0|-?[1-9]\d{0,14})$/
const CONSTANTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null]
])

// A reviver with access to each number's text would do the same, at fifty times the cost of parsing.
class ExactReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): unknown {
    switch (this.#next()) {
      case QUOTE:
        return this.#string()
      case OPENING_BRACE:
        return this.#object()
      case OPENING_BRACKET:
        return this.#list()
      default:
        return this.#scalar()
    }
  }

  /** Skips white space and returns the code of the next character. */
  #next(): number {
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at)
      if (code > SPACE) return code
      this.#at++
    }
    throw new SyntaxError('the text ends too early')
  }

  #enter(): void {
    if (++this.#depth > JSON_NESTING_MAX) throw new RangeError('nested too deeply')
    this.#at++
  }

  #leave(): void {
    this.#depth--
    this.#at++
  }

  #object(): object {
    this.#enter()
    const object: Record<string, unknown> = Object.create(null)
    for (let code = this.#next(); code !== CLOSING_BRACE; code = this.#next()) {
      if (code === COMMA) this.#at++
      this.#next()
      const name = this.#string()
      if (name in object) throw new DuplicateMemberError(`the member ${name} is given twice`)
      this.#next()
      this.#at++
      object[name] = this.read()
    }
    this.#leave()
    return object
  }

  #list(): unknown[] {
    this.#enter()
    const list: unknown[] = []
    for (let code = this.#next(); code !== CLOSING_BRACKET; code = this.#next()) {
      if (code === COMMA) this.#at++
      list.push(this.read())
    }
    this.#leave()
    return list
  }

  #string(): string {
    const start = this.#at
    const end = endOfString(this.#text, start)
    this.#at = end + 1
    const inner = this.#text.slice(start + 1, end)
    return inner.includes('\\') ? String(JSON.parse(`"${inner}"`)) : inner
  }

  #scalar(): unknown {
    const start = this.#at
    while (isWithinScalar(this.#text.charCodeAt(this.#at))) this.#at++
    const text = this.#text.slice(start, this.#at)
    const constant = CONSTANTS.get(text)
    if (constant !== undefined) return constant
    return PLAIN_NUMBER.test(text) ? Number(text) : new ExactNumber(text)
  }
}

/** Whether a character is part of a number or a constant; false at the end of the text, where the code is NaN. */
const isWithinScalar = (code: number) => code > SPACE && code !== COMMA && code !== CLOSING_BRACKET && code !== CLOSING_BRACE

/** Returns the index of the quote that ends the string starting at `from`, or the length of the text if there is none. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at
    while (before - 1 > from && text.charCodeAt(before - 1) === BACKSLASH) before--
    if ((at - before) % 2 === 0) return at
  }
  return text.length
}
