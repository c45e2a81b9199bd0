// Which documents may go on, and which operation of them runs.
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { createDocumentCheck, type DocumentLimits, selectOperation } from '../../src/graphql/document.ts'

const LIMITS: DocumentLimits = { maxDepth: 20, maxTokens: 5000, maxAliases: 50, maxDirectives: 50 }

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

/** Nested selections, `{ a }` being one deep. */
const deep = (depth: number) => '{a'.repeat(depth) + '}'.repeat(depth)

t.test('a document that does not parse is refused with the place of the fault', async t => {
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

t.test('two definitions of one name are refused, since parsers differ in which of them counts', async t => {
  for (const text of ['query A { a } mutation A { b }', '{ ...F } fragment F on t { a } fragment F on t { b }']) {
    t.equal(errorOf(() => check(text)).code, 'GRAPHQL_PARSE_FAILED', text)
  }
  t.equal(check('query A { ...A } fragment A on t { a }').operations.length, 1, 'an operation and a fragment may share theirs')
})

t.test('each limit holds from one above it', async t => {
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

t.test('a cycle of fragments is over any limit', async t => {
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

t.test('nesting beyond the stack is over the limit, not a fault of the service', async t => {
  const limits = { maxTokens: 10_000_000 }
  for (const text of [deep(400_000), `{ a(b: ${'['.repeat(400_000)}) }`]) {
    t.equal(errorOf(() => check(text, limits)).code, 'LIMIT_EXCEEDED')
  }
})

t.test('fragments that double at each level are measured once each', async t => {
  const levels = 500
  const fragments = Array.from({ length: levels }, (_, n) => `fragment F${n} on t { ...F${n + 1} ...F${n + 1} x: a }`)
  const text = `{ ...F0 } ${fragments.join(' ')} fragment F${levels} on t { a }`
  const error = errorOf(() => check(text, { maxTokens: 100_000 }))
  t.match(error, { code: 'LIMIT_EXCEEDED', message: /GRAPHQL_MAX_ALIASES/ })
})

t.test('a message that speaks of tokens is no limit unless the parser wrote it', async t => {
  const error = errorOf(() => check('{ a "Document contains more than 5000 tokens. Parsing aborted." }'))
  t.equal(error.code, 'GRAPHQL_PARSE_FAILED')
})

t.test('a spread of a fragment that is not there is left for Hasura to refuse', async t => {
  t.equal(check('{ ...Nowhere }').operations.length, 1)
})

t.test('the standard introspection query is within the default limits', async t => {
  const { getIntrospectionQuery } = await import('graphql')
  t.doesNotThrow(() => check(getIntrospectionQuery()))
})

t.test('results and refusals are remembered by text', async t => {
  const remembered = createDocumentCheck(LIMITS)
  t.equal(remembered('{ a }'), remembered('{ a }'))
  t.equal(
    errorOf(() => remembered('{ a')),
    errorOf(() => remembered('{ a'))
  )
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

t.test('a subscription is refused only where it is what would run', async t => {
  const both = check('query A { a } subscription B { b }')
  t.equal(errorOf(() => selectOperation(both, 'B')).code, 'SUBSCRIPTION_NOT_SUPPORTED')
  t.equal(selectOperation(both, 'A').kind, 'query')
})
