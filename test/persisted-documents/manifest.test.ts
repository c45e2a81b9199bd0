// The manifests that tools write, and invalid ones.
import fc from 'fast-check'
import t from 'tap'
import { parseManifest } from '../../src/persisted-documents/manifest.ts'

const HASH = 'ab'.repeat(32)
const apollo = (operations: unknown, rest = {}) =>
  JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations, ...rest })

t.test('an invalid manifest is refused, and none of its content is shown', async t => {
  const cases: [text: string, message: RegExp][] = [
    ['', /not JSON/],
    ['{"a":"secret"', /not JSON/],
    ['[]', /not a JSON object/],
    ['null', /not a JSON object/],
    ['"secret"', /not a JSON object/],
    ['{"a":5}', /member 1 must/],
    ['{"a":"{ a }","b":{"secret":"x"}}', /member 2 must/],
    ['{"a":""}', /member 1 must/],
    ['{"":"{ a }"}', /member 1 must/],
    [apollo([], { version: 2 }), /version 1/],
    [apollo([], { format: 'secret' }), /format must be/],
    [apollo({}), /must be a list/],
    [apollo([null]), /operations\[0\]/],
    [apollo([{ id: 'a', body: '{ a }' }, { id: 'b' }]), /operations\[1\]/],
    [apollo([{ id: 5, body: 'secret' }]), /operations\[0\]/]
  ]
  for (const [text, message] of cases) {
    t.throws(() => parseManifest(text), { message }, text)
    t.throws(() => parseManifest(text), { message: /^((?!secret).)*$/ }, 'shows none of it')
  }
})

t.test('two documents with the same ID are refused, even if the IDs differ only in case', async t => {
  for (const text of [
    '{"a":"{ a }","a":"{ b }"}',
    '{"a":"{ a }","\\u0061":"{ a }"}',
    JSON.stringify({ [HASH]: '{ a }', [HASH.toUpperCase()]: '{ b }' }),
    JSON.stringify({ [HASH]: '{ a }', [`sha256:${HASH}`]: '{ b }' }),
    apollo([
      { id: 'a', body: '{ a }' },
      { id: 'a', body: '{ b }' }
    ])
  ])
    t.throws(() => parseManifest(text), { message: 'two documents have the same id' }, text)
})

t.test("Apollo's manifest, and a map from ID to document", async t => {
  t.strictSame([...parseManifest(apollo([{ id: HASH, name: 'A', type: 'query', body: 'query A { a }' }]))], [[HASH, 'query A { a }']])
  t.strictSame(
    [...parseManifest(JSON.stringify({ x: '{ a(b: "\\"") }', [HASH.toUpperCase()]: '{ b }' }))],
    [
      ['x', '{ a(b: "\\"") }'],
      [HASH, '{ b }']
    ]
  )
  t.equal(parseManifest(apollo([])).size, 0)
  t.equal(parseManifest('{}').size, 0)
})

t.test('any map of texts is read as JSON.parse reads it, whatever its layout', async () => {
  const text = fc.string({ minLength: 1, unit: fc.constantFrom('"', '\\', 'a', ' ', '{', ':', ',', 'é', '\n') })
  fc.assert(
    fc.property(fc.dictionary(text, text), fc.nat(4), (map, indent) => {
      const read = parseManifest(JSON.stringify(map, null, indent))
      return read.size === Object.keys(map).length && Object.entries(map).every(([id, document]) => read.get(id) === document)
    })
  )
})

t.test('a manifest of 50 MB is read completely', async t => {
  const document = `query { ${'a '.repeat(500)}}`
  const count = 50_000
  const text = `{${Array.from({ length: count }, (_, n) => `"${n}":"${document}"`).join(',')}}`
  t.ok(text.length > 50_000_000)
  t.equal(parseManifest(text).size, count)
  t.throws(() => parseManifest(`${text.slice(0, -1)},"7":"${document}"}`), { message: /same id/ })
})
