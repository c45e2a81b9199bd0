// Which documents may run, and which of their operations.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { CACHE_MAX_BYTES, createDocumentCheck, selectOperation } from '../../src/graphql/document.ts'
import { type DocumentLimits, NESTING_MAX } from '../../src/graphql/document-limits.ts'

const LIMITS: DocumentLimits = { maxDepth: 20, maxTokens: 5000, maxFields: 5000, maxAliases: 50, maxDirectives: 50 }

const errorOf = (run: () => unknown): GatewayError => {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const check = (text: string, limits: Partial<DocumentLimits> = {}) => createDocumentCheck({ ...LIMITS, ...limits })(text)

/** Nested selections; `{ a }` has a depth of 1. */
const deep = (depth: number) => '{a'.repeat(depth) + '}'.repeat(depth)

t.test('a document that does not parse is refused with the location of the error', async t => {
  const cases: [string, number, number][] = [
    ['{ a ', 1, 5],
    ['{\n  a(\n}', 3, 1],
    ['{{{{', 1, 2],
    ['', 1, 1],
    ['{ a(b: "\ud83d") }', 1, 9]
  ]
  for (const [text, line, column] of cases) {
    const error = errorOf(() => check(text))
    t.equal(error.code, 'GRAPHQL_PARSE_FAILED', JSON.stringify(text))
    t.match(error.locations, [{ line, column }], JSON.stringify(text))
  }
})

t.test('a document without an operation is refused', async t => {
  for (const text of ['fragment F on users { id }', '# nothing but a comment']) {
    t.equal(errorOf(() => check(text)).code, 'GRAPHQL_PARSE_FAILED', text)
  }
})

t.test('type definitions beside an operation are refused', async t => {
  const error = errorOf(() => check('{ a }\ntype A { a: Int }'))
  t.equal(error.code, 'GRAPHQL_PARSE_FAILED')
  t.strictSame(error.locations, [{ line: 2, column: 1 }])
})

t.test('two definitions of the same name are refused, because parsers disagree on which one counts', async t => {
  for (const text of ['query A { a } mutation A { b }', '{ ...F } fragment F on t { a } fragment F on t { b }']) {
    t.equal(errorOf(() => check(text)).code, 'GRAPHQL_PARSE_FAILED', text)
  }
  t.equal(check('query A { ...A } fragment A on t { a }').operations.length, 1, 'an operation and a fragment may share theirs')
})

t.test('each limit refuses a document that is one above it', async t => {
  const over = { setting: '', limit: 3 }
  const cases: [string, Partial<DocumentLimits>, string, string][] = [
    ['GRAPHQL_MAX_DEPTH', { maxDepth: 3 }, deep(3), deep(4)],
    [
      'GRAPHQL_MAX_DEPTH',
      { maxDepth: 3 },
      '{ a { ...F } } fragment F on t { b { c } }',
      '{ a { ...F } } fragment F on t { b { c { d } } }'
    ],
    ['GRAPHQL_MAX_DEPTH', { maxDepth: 3 }, '{ a { ... on t { b { ... { c } } } } }', '{ a { ... on t { b { ... { c { d } } } } } }'],
    ['GRAPHQL_MAX_DEPTH', { maxDepth: 3 }, `query A { a } query B ${deep(3)}`, `query A { a } query B ${deep(4)}`],
    ['GRAPHQL_MAX_TOKENS', { maxTokens: 3 }, '{ a }', '{ a b }'],
    ['GRAPHQL_MAX_TOKENS', { maxTokens: 3 }, '{ a\n}', '{ a # and a comment\n}'],
    ['GRAPHQL_MAX_TOKENS', { maxTokens: 3 }, '{ a }', '{ a } # at the end'],
    ['GRAPHQL_MAX_FIELDS', { maxFields: 3 }, '{ a b c }', '{ a b c d }'],
    ['GRAPHQL_MAX_FIELDS', { maxFields: 3 }, '{ a { b { ... { c } } } }', '{ a { b { ... { c d } } } }'],
    ['GRAPHQL_MAX_FIELDS', { maxFields: 3 }, 'query A { a b } query B { c }', 'query A { a b } query B { c d }'],
    [
      'GRAPHQL_MAX_FIELDS',
      { maxFields: 3 },
      '{ ...F ...F c } fragment F on t { a } fragment G on t { a b c d }',
      '{ ...F ...F c } fragment F on t { a ...G } fragment G on t { b }'
    ],
    ['GRAPHQL_MAX_ALIASES', { maxAliases: 3 }, '{ a: x b: x c: x }', '{ a: x b: x c: x d: x }'],
    ['GRAPHQL_MAX_ALIASES', { maxAliases: 3 }, 'query A { a: x b: x } query B { c: x }', 'query A { a: x b: x } query B { c: x d: x }'],
    [
      'GRAPHQL_MAX_ALIASES',
      { maxAliases: 3 },
      '{ ...F a: x } fragment F on t { b: x c: x }',
      '{ ...F ...F } fragment F on t { b: x c: x }'
    ],
    ['GRAPHQL_MAX_DIRECTIVES', { maxDirectives: 3 }, '{ a @x @x @x }', '{ a @x @x @x @x }'],
    [
      'GRAPHQL_MAX_DIRECTIVES',
      { maxDirectives: 3 },
      'query A @x { ...F @x } fragment F on t @x { a }',
      'query A($v: Int @x) @x { ...F @x } fragment F on t @x { a }'
    ]
  ]
  for (const [setting, limits, allowed, refused] of cases) {
    t.doesNotThrow(() => check(allowed, limits), allowed)
    const error = errorOf(() => check(refused, limits))
    t.equal(error.code, 'LIMIT_EXCEEDED', refused)
    t.match(error.message, setting)
    t.match(error.message, `of ${over.limit}`)
  }
})

t.test('a cycle of fragments exceeds any limit', async t => {
  const cycles = [
    '{ ...F } fragment F on t { a { ...F } }',
    '{ ...F } fragment F on t { ...G } fragment G on t { ...F }',
    '{ a } fragment F on t { ...F }'
  ]
  for (const text of cycles)
    t.match(
      errorOf(() => check(text, { maxDepth: 1000 })),
      { code: 'LIMIT_EXCEEDED', message: /GRAPHQL_MAX_DEPTH/ },
      text
    )
})

t.test('nesting has a fixed limit, whatever the settings say', async t => {
  const unlimited = { maxDepth: 1_000_000, maxTokens: 10_000_000, maxFields: 1_000_000, maxAliases: 1_000_000 }
  const nested: [string, (levels: number) => string][] = [
    ['selections', deep],
    ['inline fragments', levels => `{${'...{'.repeat(levels - 2)}...{a}${'}'.repeat(levels - 1)}`],
    ['lists', levels => `{a(b:${'['.repeat(levels - 2)}${']'.repeat(levels - 2)})}`],
    ['objects', levels => `{a(b:${'{b:'.repeat(levels - 2)}1${'}'.repeat(levels - 2)})}`],
    ['list types', levels => `query ($a:${'['.repeat(levels - 1)}Int${']'.repeat(levels - 1)}) {a}`],
    [
      'fragments',
      levels => {
        const spread = Array.from({ length: levels - 2 }, (_, n) => `fragment F${n} on t { ...F${n + 1} }`)
        return `{ ...F0 } ${spread.join(' ')} fragment F${levels - 2} on t { a }`
      }
    ]
  ]
  for (const [name, write] of nested) {
    t.doesNotThrow(() => check(write(NESTING_MAX), unlimited), name)
    for (const levels of [NESTING_MAX + 1, 100_000]) {
      const error = errorOf(() => check(write(levels), unlimited))
      t.equal(error.code, 'LIMIT_EXCEEDED', `${name}, ${levels}`)
      t.match(error.message, `of ${NESTING_MAX} nested braces, brackets and parentheses`)
    }
  }
})

t.test('the depth of fragments does not depend on their order', async t => {
  const half = NESTING_MAX / 2
  const inner = `fragment F on t ${deep(half)}`
  const outer = (levels: number) => `${'{a'.repeat(levels - 1)}{...F}${'}'.repeat(levels - 1)}`
  for (const text of [`${outer(half)} ${inner}`, `${inner} query ${outer(half)}`]) t.doesNotThrow(() => check(text, { maxDepth: 1000 }))
  for (const text of [`${outer(half + 1)} ${inner}`, `${inner} query ${outer(half + 1)}`])
    t.equal(errorOf(() => check(text, { maxDepth: 1000 })).code, 'LIMIT_EXCEEDED')
})

t.test('parsing stops at the first token over the limit', async t => {
  const limits = { maxTokens: 100 }
  const over: [string, string][] = [
    ['a syntax error', `{ ${'a '.repeat(100)}) }`],
    ['an unknown character', `{ ${'a '.repeat(100)}~`],
    ['a syntax error behind comments', `${'# a\n'.repeat(101)}}`],
    ['comments between tokens', `{ ${'a # a\n'.repeat(50)}~`],
    ['comments behind a description', `"a" ${'# a\n'.repeat(101)}~`]
  ]
  for (const [name, text] of over)
    t.match(
      errorOf(() => check(text, limits)),
      { code: 'LIMIT_EXCEEDED', message: /GRAPHQL_MAX_TOKENS of 100/ },
      name
    )
  const within: [string, string][] = [
    ['a syntax error', `{ ${'a '.repeat(97)}) `],
    ['comments and a syntax error', `${'# a\n'.repeat(99)}}`],
    ['a syntax error and comments', `} ${'# a\n'.repeat(200)}`],
    ['nothing but comments', '# a\n'.repeat(99)]
  ]
  for (const [name, text] of within) t.equal(errorOf(() => check(text, limits)).code, 'GRAPHQL_PARSE_FAILED', name)
})

t.test('fragments that double at each level are measured once each', async t => {
  const levels = 150
  const bomb = (field: string) => {
    const fragments = Array.from({ length: levels }, (_, n) => `fragment F${n} on t { ...F${n + 1} ...F${n + 1} }`)
    return `{ ...F0 } ${fragments.join(' ')} fragment F${levels} on t { ${field} }`
  }
  t.match(
    errorOf(() => check(bomb('a'))),
    { code: 'LIMIT_EXCEEDED', message: /GRAPHQL_MAX_FIELDS of 5000/ }
  )
  t.match(
    errorOf(() => check(bomb('x: a'))),
    { code: 'LIMIT_EXCEEDED', message: /GRAPHQL_MAX_ALIASES of 50/ }
  )
})

t.test('an error message about tokens is a limit only if the parser wrote it', async t => {
  const error = errorOf(() => check('{ a "Document contains more than 5000 tokens. Parsing aborted." }'))
  t.equal(error.code, 'GRAPHQL_PARSE_FAILED')
})

t.test('a spread of an undefined fragment is left for Hasura to refuse', async t => {
  t.equal(check('{ ...Nowhere }').operations.length, 1)
})

t.test('the standard introspection query is within the default limits', async t => {
  const { getIntrospectionQuery } = await import('graphql')
  t.doesNotThrow(() => check(getIntrospectionQuery()))
})

t.test('results and refusals are cached by text', async t => {
  const remembered = createDocumentCheck(LIMITS)
  t.equal(remembered('{ a }'), remembered('{ a }'))
  const [first, second] = ['{ a', '{ a'].map(text => errorOf(() => remembered(text)))
  t.strictSame([second?.code, second?.message, second?.locations], [first?.code, first?.message, first?.locations])
  t.not(first, second, 'an error of its own for each request, since its stack keeps what it passed through')
})

t.test('the cache stays within its memory bound, whatever it contains', async t => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const usedBytes = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const kinds: [string, (n: number) => string][] = [
    ['documents of many operations', n => `${'{a}'.repeat(1600)}#${n}`],
    ['documents with a fault near their end', n => `{${'a '.repeat(4000)})#${n}`],
    ['documents of two bytes a character', n => `{ a(b: "${'漢'.repeat(8000)}") } # ${n}`]
  ]
  for (const [name, write] of kinds) {
    const remembered = createDocumentCheck(LIMITS)
    const before = usedBytes()
    for (let n = 0; n < 800; n++) {
      try {
        remembered(write(n))
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
      }
    }
    t.ok(usedBytes() - before < 1.5 * CACHE_MAX_BYTES, name)
    t.equal(remembered('{ a }'), remembered('{ a }'))
  }
})

t.test('the text is kept as JSON, emoji and escapes included', async t => {
  const text = '{ a(b: "😀 \\" \\u00e9") }'
  t.equal(JSON.parse(check(text).json), text)
})

t.test('which operation runs', async t => {
  const two = check('query A { a } mutation B { b }')
  t.equal(errorOf(() => selectOperation(two, undefined)).code, 'OPERATION_NAME_REQUIRED')
  t.equal(errorOf(() => selectOperation(two, null)).code, 'OPERATION_NAME_REQUIRED')
  t.equal(errorOf(() => selectOperation(two, '')).code, 'OPERATION_NAME_REQUIRED')
  t.equal(errorOf(() => selectOperation(two, 'C')).code, 'OPERATION_NOT_FOUND')
  t.equal(errorOf(() => selectOperation(check('{ a }'), 'A')).code, 'OPERATION_NOT_FOUND')
  t.strictSame(selectOperation(two, 'B'), { kind: 'mutation', name: 'B' })
  t.strictSame(selectOperation(check('{ a }'), ''), { kind: 'query', name: undefined })
  t.strictSame(selectOperation(check('query A { a }'), 'A'), { kind: 'query', name: 'A' })
})

t.test('parsing does not decide which kinds of operations may run', async t => {
  t.strictSame(selectOperation(check('query A { a } subscription B { b }'), 'B'), { kind: 'subscription', name: 'B' })
})
