// Finding @cached on a query, reading its arguments, and removing it.
import fc from 'fast-check'
import t from 'tap'
import { createCachedQueryFinder, readCacheWish } from '../../src/graphql/cached-directive.ts'
import { createDocumentCheck } from '../../src/graphql/document.ts'

const check = createDocumentCheck({ maxDepth: 20, maxTokens: 5_000, maxFields: 5_000, maxAliases: 50, maxDirectives: 50 })

function queryOf(text: string, name?: string) {
  const query = createCachedQueryFinder()(check(text), name)
  if (query === undefined) throw new Error(`no @cached in ${text}`)
  return query
}

t.test('a ttl that is not a whole number from 1 to 3600 is refused, as a literal and as a variable', async t => {
  for (const literal of ['0', '-1', '1000000000', '1e9', '60.0', '"60"', 'null', 'true', 'SIXTY', '[60]'])
    t.throws(() => readCacheWish(queryOf(`query @cached(ttl: ${literal}) { a }`), undefined), { code: 'INVALID_REQUEST' }, literal)
  const query = queryOf('query Q($ttl: Int!) @cached(ttl: $ttl) { a }', 'Q')
  for (const value of ['0', '-1', '3601', '1e9', '1.5', '"60"', 'null', 'true', '[60]', '{"a":1}'])
    t.throws(() => readCacheWish(query, `{"ttl":${value}}`), { code: 'INVALID_REQUEST' }, value)
  t.equal(readCacheWish(query, '{"ttl":3600}').ttlSeconds, 3_600)
  t.equal(readCacheWish(query, '{"ttl":1}').ttlSeconds, 1)
})

t.test('a refresh that is not a boolean is refused', async t => {
  for (const literal of ['1', '"true"', 'null', 'TRUE'])
    t.throws(() => readCacheWish(queryOf(`query @cached(refresh: ${literal}) { a }`), undefined), { code: 'INVALID_REQUEST' }, literal)
  t.throws(() => readCacheWish(queryOf('query ($r: Boolean) @cached(refresh: $r) { a }'), '{"r":"yes"}'), { code: 'INVALID_REQUEST' })
})

t.test('a directive that appears twice, or has unknown arguments or undeclared variables, is refused', async t => {
  for (const text of [
    'query @cached @cached { a }',
    'query @cached(ttl: 1, max: 2) { a }',
    'query @cached(ttl: $nope) { a }',
    'query ($a: Int) @cached(refresh: $b) { a }'
  ])
    t.throws(() => queryOf(text), { code: 'INVALID_REQUEST' }, text)
})

t.test('a document without the directive on its operation is unchanged', async t => {
  const find = createCachedQueryFinder()
  for (const text of ['{ cached }', '{ a @cached }', '# @cached\n{ a }', '{ a(b: "@cached") }', 'query Q { a } query R @cached { a }'])
    t.equal(find(check(text), text.includes('Q') ? 'Q' : undefined), undefined, text)
})

t.test('the directive is removed with the variables that only it uses, and everything else stays byte for byte', async t => {
  const cases: [text: string, sent: string, own: string[]][] = [
    ['query @cached { a }', 'query { a }', []],
    ['query Q@cached(ttl:5){a}', 'query Q{a}', []],
    ['query Q # why @cached\n  @ cached (\n ttl: 5 # five\n )\n{ a }', 'query Q # why @cached\n\n{ a }', []],
    ['query Q @a @cached @b { a }', 'query Q @a @b { a }', []],
    ['query ($t: Int!) @cached(ttl: $t) { a }', 'query  { a }', ['t']],
    ['query Q( $t: Int = 5, ) @cached(ttl: $t) { a }', 'query Q { a }', ['t']],
    ['query Q($t: Int, $a: Int) @cached(ttl: $t) { a(b: $a) }', 'query Q($a: Int) { a(b: $a) }', ['t']],
    ['query Q($a: Int, $t: Int) @cached(ttl: $t) { a(b: $a) }', 'query Q($a: Int) { a(b: $a) }', ['t']],
    ['query Q($t: Int, $a: Int, $r: Boolean) @cached(ttl: $t, refresh: $r) { a }', 'query Q($a: Int) { a }', ['t', 'r']],
    ['query Q($t: Int) @cached(ttl: $t) { a(b: [{c: $t}]) }', 'query Q($t: Int) { a(b: [{c: $t}]) }', []],
    [
      'query Q($t: Int) @cached(ttl: $t) { ...F } fragment F on A { a(b: $t) }',
      'query Q($t: Int) { ...F } fragment F on A { a(b: $t) }',
      []
    ],
    ['query Q($t: Int) @cached(ttl: $t) @a(b: $t) { a }', 'query Q($t: Int) @a(b: $t) { a }', []],
    [
      'query Q($t: Int) @cached(ttl: $t) { ...F } fragment F on A @cached(ttl: $t) { a }',
      'query Q($t: Int) { ...F } fragment F on A @cached(ttl: $t) { a }',
      []
    ],
    ['query Q($t: Int) @cached(ttl: $t) { a @cached(ttl: $t) }', 'query Q($t: Int) { a @cached(ttl: $t) }', []]
  ]
  for (const [text, sent, own] of cases) {
    const query = queryOf(text, text.includes('Q') ? 'Q' : undefined)
    t.equal(query.document.text, sent, text)
    t.equal(query.document.json, JSON.stringify(sent))
    t.strictSame([...query.ownVariables], own, text)
  }
})

t.test('whatever surrounds the directive, the remaining document parses as the same operations', async () => {
  const gap = fc.stringMatching(/^( |\t|\n|,|# [@a-z]*\n){0,3}$/).map(text => ` ${text}`)
  fc.assert(
    fc.property(fc.array(gap, { minLength: 12, maxLength: 12 }), fc.boolean(), fc.boolean(), (gaps, isFirst, isUsed) => {
      const at = (n: number) => gaps[n] ?? ' '
      const [first, second] = isFirst ? ['$t: Int', '$a: Int'] : ['$a: Int', '$t: Int']
      const text = `query${at(0)}Q${at(1)}(${at(2)}${first}${at(3)}${second}${at(4)})${at(5)}@x${at(6)}@${at(7)}cached(${at(8)}ttl:${at(9)}$t)${at(10)}{ a(b: $a) ${isUsed ? 'c(d: $t)' : ''}${at(11)}}`
      const { document, ownVariables } = queryOf(text, 'Q')
      const declared = isUsed ? `(${first},${second})` : '($a: Int)'
      const plain = `query Q${declared} @x { a(b: $a) ${isUsed ? 'c(d: $t)' : ''} }`
      const tokens = (source: string) => source.replace(/#.*$/gm, '').replace(/[\s,]+/g, '')
      return tokens(check(document.text).text) === tokens(plain) && ownVariables.has('t') === !isUsed
    })
  )
})

t.test('the values of its own variables are removed, and every other value keeps its text', async t => {
  const query = queryOf('query Q($t: Int, $r: Boolean, $a: Int) @cached(ttl: $t, refresh: $r) { a(b: $a) }', 'Q')
  const cases: [given: string | undefined, expected: ReturnType<typeof readCacheWish>][] = [
    [undefined, { ttlSeconds: 60, refresh: false, variables: undefined }],
    ['{"t":5,"r":true}', { ttlSeconds: 5, refresh: true, variables: undefined }],
    ['{ "a" : 9007199254740993 , "t" : 5 }', { ttlSeconds: 5, refresh: false, variables: '{"a":9007199254740993}' }],
    ['{ "a" : 1.0 }', { ttlSeconds: 60, refresh: false, variables: '{ "a" : 1.0 }' }],
    ['{"t":1,"t":7}', { ttlSeconds: 7, refresh: false, variables: undefined }]
  ]
  for (const [given, expected] of cases) t.strictSame(readCacheWish(query, given), expected, given ?? 'none')
})

t.test('a missing variable has its default, or else the default of the argument', async t => {
  const query = queryOf('query Q($t: Int = 7, $r: Boolean = true) @cached(ttl: $t, refresh: $r) { a }', 'Q')
  t.match(readCacheWish(query, undefined), { ttlSeconds: 7, refresh: true })
  t.match(readCacheWish(query, '{"r":false}'), { ttlSeconds: 7, refresh: false })
  t.match(readCacheWish(queryOf('query Q($t: Int) @cached(ttl: $t) { a }', 'Q'), '{}'), { ttlSeconds: 60 })
})

t.test('the fingerprint is the same for documents that differ only in layout, comments and the directive', async t => {
  const fingerprint = (text: string) => queryOf(text).fingerprint
  const one = fingerprint('query @cached { a(b: "x y") }')
  t.equal(fingerprint('query @cached(ttl: 5, refresh: true)\n{\n  a(b: "x y"), # so\n}'), one)
  t.equal(fingerprint('query ($t: Int) @cached(ttl: $t) { a(b: "x y") }'), one)
  for (const other of ['query @cached { a(b: "x  y") }', 'query @cached { a(b: "x y") c }', 'query @cached { ab: a(b: "x y") }'])
    t.not(fingerprint(other), one, other)
})
