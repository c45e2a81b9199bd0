// The texts of an object's members, and numbers that keep their text.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { DuplicateMemberError, ExactNumber, JSON_MEMBERS_MAX, JSON_NESTING_MAX, parseExact, readMembers } from '../src/json.ts'

const NUMBERS = [
  '9007199254740993',
  '1.0',
  '-0',
  '1e400',
  '0.1000000000000000055',
  '-0.0',
  '1E5',
  '1e+5',
  '123456789012345678',
  '0',
  '-1',
  '10.50'
]

const whiteSpace = fc.constantFrom('', '', '', ' ', '\t', '\n', '\r\n  ')
const string = fc.string({ unit: 'binary' }).chain(value => {
  const escaped = Array.from({ length: value.length }, (_, n) => `\\u${value.charCodeAt(n).toString(16).padStart(4, '0')}`).join('')
  return fc.constantFrom(JSON.stringify(value), `"${escaped}"`)
})
/** A few names, spelt in several ways, so that duplicates are frequent. None contains a backslash, because V8 would confuse others with it; see below. */
const key = fc.oneof(
  fc.constantFrom('"a"', '"\\u0061"', '"variables"', '"vari\\u0061bles"', '"__proto__"', '"{"', '"]:,"', '"\\""', '""', '"1"'),
  string.filter(text => !JSON.parse(text).includes('\\'))
)
const number = fc.oneof(fc.constantFrom(...NUMBERS), fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/))

/** Any JSON text: white space, escapes, surrogates, duplicates, nesting, odd numbers. */
const { object, value: json } = fc.letrec<{ value: string; object: string }>(tie => ({
  object: fc
    .array(fc.tuple(key, tie('value'), whiteSpace, whiteSpace), { maxLength: 5 })
    .map(members => `{${members.map(([name, value, before, after]) => `${before}${name}${after}:${before}${value}${after}`).join(',')}}`),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    number,
    string,
    fc.constantFrom('true', 'false', 'null', '[ ]', '{\n}'),
    fc
      .array(fc.tuple(whiteSpace, tie('value')), { maxLength: 4 })
      .map(items => `[${items.map(([space, item]) => `${space}${item}${space}`).join(',')}]`),
    tie('object')
  )
}))

t.test('the scan finds the same members as JSON.parse', async t => {
  fc.assert(
    fc.property(object, whiteSpace, (text, space) => {
      const parsed: Record<string, unknown> = JSON.parse(text)
      const members = readMembers(space + text + space) ?? new Map<string, string>()
      const values = new Map([...members].map(([name, part]) => [name, JSON.parse(part)]))
      return isDeepStrictEqual(values, new Map(Object.entries(parsed)))
    }),
    { numRuns: 3000 }
  )
  t.pass('3000 texts')
})

t.test('the text of a member is unchanged', async t => {
  for (const number of NUMBERS) t.equal(readMembers(`{"variables" : {"a": [${number} ]} , "b":1}`)?.get('variables'), `{"a": [${number} ]}`)
  t.equal(readMembers('{"a":1,"\\u0061":2}')?.get('a'), '2', 'the last one wins, however it is spelt')
})

t.test('JSON of another type has no members', async t => {
  for (const text of ['[{"a":1}]', '1', '"{\\"a\\":1}"', 'null', '', ' ']) t.equal(readMembers(text), undefined, text)
  t.equal(readMembers(' {} ')?.size, 0)
})

t.test('names that V8 misreads are read correctly', async t => {
  const prime = () => JSON.parse('{"query":"{ a }","vari\\\\u006":{}}')
  for (let n = 0; n < 3; n++) prime()
  t.strictSame(
    [...(readMembers('{"query":"{ a }","vari\\u0061bles":{}}') ?? [])].map(([name]) => name),
    ['query', 'variables']
  )
  t.strictSame(Object.keys(Object(parseExact('{"query":"{ a }","vari\\u0061bles":{}}'))), ['query', 'variables'])
})

t.test('an object is JSON exactly if the scan accepts it and JSON.parse accepts the text of each member', async t => {
  const takes = (read: () => unknown): boolean => {
    try {
      read()
      return true
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      return false
    }
  }
  const readWhole = (text: string) => [...(readMembers(text) ?? new Map([['', text]])).values()].map(part => JSON.parse(part))
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '"a":1',
    ',"b":2',
    '"',
    '\\',
    '1',
    ' ',
    '\u00a0',
    '\ufeff',
    'null',
    '"a":[',
    '"a":{'
  )
  const pieces = fc.array(piece).map(parts => parts.join(''))
  const almost = fc
    .tuple(object, fc.nat(), piece)
    .map(([text, at, more]) => text.slice(0, at % text.length) + more + text.slice((at % text.length) + 1))
  fc.assert(
    fc.property(
      fc.oneof(
        pieces,
        pieces.map(inner => `{${inner}}`),
        almost,
        object
      ),
      text => takes(() => JSON.parse(text)) === takes(() => readWhole(text))
    ),
    { numRuns: 20_000 }
  )
  t.pass('20000 texts')
})

t.test('nesting and members beyond their limits are refused before anything is parsed', async t => {
  const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
  t.ok(readMembers(nested(JSON_NESTING_MAX)))
  for (const levels of [JSON_NESTING_MAX + 1, 500_000]) {
    t.throws(() => readMembers(nested(levels)), RangeError)
    t.throws(() => readMembers('{"a":'.repeat(levels)), RangeError, 'not even closed')
    t.throws(() => parseExact(nested(levels)), RangeError)
  }
  const wide = (members: number) => `{${Array(members).fill('"a":{"b":1,"c":2}').join(',')}}`
  t.ok(readMembers(wide(JSON_MEMBERS_MAX)))
  t.throws(() => readMembers(wide(JSON_MEMBERS_MAX + 1)), RangeError)
})

t.test('text that is not JSON has no exact value', async t => {
  for (const text of ['', '{', '{"a":01}', '{"a":1.}', '{"a":1.5', '[1e400', 'undefined', "{'a':1}", '1 2']) {
    t.throws(() => parseExact(text), SyntaxError, text)
  }
})

t.test('every number keeps its text', async t => {
  for (const number of NUMBERS) {
    for (const text of [number, `[${number}]`, `{"a":${number}}`, `{"a":[{"b":${number}},"x"]}`])
      t.equal(JSON.stringify(parseExact(text)), text)
    t.equal(JSON.stringify(parseExact(`{"a": ${number} }`)), `{"a":${number}}`, 'after white space')
  }
  t.ok(parseExact('1.0') instanceof ExactNumber)
  t.equal(parseExact('1'), 1)
})

t.test('an exact value equals the result of JSON.parse except for the digits of numbers, or is refused for a duplicate name', async t => {
  let duplicates = 0
  fc.assert(
    fc.property(json, text => {
      try {
        return isDeepStrictEqual(JSON.parse(JSON.stringify(parseExact(text))), JSON.parse(text))
      } catch (error) {
        if (!(error instanceof DuplicateMemberError)) throw error
        duplicates++
        return countMembers(JSON.parse(text)) < countColons(text)
      }
    }),
    { numRuns: 3000 }
  )
  t.ok(duplicates > 0)
})

const countMembers = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum, inner) => sum + countMembers(inner), Array.isArray(value) ? 0 : Object.keys(value).length)
    : 0

const countColons = (text: string) => text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1
