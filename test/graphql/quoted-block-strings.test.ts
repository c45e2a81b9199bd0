// Block strings with a backslash become quoted strings of the same value.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { type DocumentNode, parse, visit } from 'graphql'
import t from 'tap'
import { createDocumentCheck } from '../../src/graphql/document.ts'
import { quoteBlockStrings } from '../../src/graphql/quoted-block-strings.ts'

const check = createDocumentCheck({ maxDepth: 20, maxTokens: 5000, maxFields: 5000, maxAliases: 50, maxDirectives: 50 })

/** A document's meaning: its tree without locations and without the form of its strings. */
const meaningOf = (text: string): DocumentNode =>
  visit(parse(text, { noLocation: true }), { StringValue: node => ({ ...node, block: false }) })

/** The block strings of a document as written. */
function blockStringsOf(text: string): string[] {
  const found: string[] = []
  visit(parse(text), { StringValue: ({ block, loc }) => void (block && loc && found.push(text.slice(loc.start, loc.end))) })
  return found
}

t.test('everything except these block strings stays byte for byte', async t => {
  const cases: [string, string][] = [
    ['{ a(s: """x\\y""") }', '{ a(s: "x\\\\y") }'],
    ['{a(s:"""\\"""""")#"""\\\n}', '{a(s:"\\"\\"\\"")#"""\\\n}'],
    ['{ a(s: """\n    one\n      two\\\n  """, t: 1) }', '{ a(s: "one\\n  two\\\\", t: 1) }'],
    ['{ a(s: """ "quoted" """, b: "\\\\") }', '{ a(s: """ "quoted" """, b: "\\\\") }'],
    ['{ a(s: ["""a\\b""" """b"""]) }', '{ a(s: ["a\\\\b" """b"""]) }'],
    ['"""about \\d""" query A { a }', '"about \\\\d" query A { a }']
  ]
  for (const [text, sent] of cases) {
    t.equal(check(text).text, sent)
    t.equal(JSON.parse(check(text).json), sent)
    t.equal(quoteBlockStrings(text), sent, 'looked for in the text')
  }
})

t.test('any block string keeps its value, and no block string that is sent contains a backslash', async t => {
  const part = fc.constantFrom('\\', '\\"""', '"', '\n', '\r\n', ' ', '\t', 'a', '#', '}', ')', 'é', '😀', '\u2028', '\\u0041', '\\n')
  const blockString = fc
    .array(part)
    .map(parts => parts.join(''))
    // Three unescaped quotes would end it, and the characters before its end must not change that.
    .filter(inner => !/"""/.test(inner.replaceAll('\\"""', '')) && !/["\\]$/.test(inner))
    .map(inner => `"""${inner}"""`)
  const text = fc.array(blockString, { minLength: 1, maxLength: 4 }).map(strings => `{ a(s: [${strings.join(', ')}], t: "\\"\\\\") }`)
  fc.assert(
    fc.property(text, text => {
      const { text: sent } = check(text)
      const kept = blockStringsOf(sent)
      return isDeepStrictEqual(meaningOf(sent), meaningOf(text)) && kept.every(raw => !raw.includes('\\') && text.includes(raw))
    }),
    { numRuns: 1000 }
  )
  t.pass('1000 texts')
})
