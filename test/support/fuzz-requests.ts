// Random requests for the fuzz tests: valid ones with small changes, and nonsense.
import fc from 'fast-check'

/** The key of the only known caller; no other generated text contains it. */
export const RIGHT_KEY = 'the-right-key-of-the-fuzz-test'

/** A request as it is sent, and what is known about it beforehand. */
export type FuzzRequest = {
  method: string
  /** latin1: one character is one byte. */
  bytes: string
  /** Whether it has a valid credential. */
  hasRight: boolean
  /** Whether it makes the fake Hasura fail. */
  mayFail: boolean
}

/** Words in a document that make the fake Hasura fail, each in a different way. */
export const FAILURES = ['hasuraBreaks', 'hasuraHtml', 'hasuraRefuses'] as const

const DOCUMENTS = [
  '{ a }',
  'query A { a b }',
  'mutation M($v: Int = 1) { insert(objects: [{a: $v, b: "x"}]) { n } }',
  'query A { a } query B { b }',
  'subscription { a }',
  'fragment F on T { a ...G } fragment G on T { b } query { ...F x: y(z: {a: [1, 2.5e3, null, true, E]}) @include(if: $c) }',
  'query ($s: String!) { a(s: """block "quoted" text""") { ... on T { b } } }',
  '# comment\n{ a(b: "\\u00e9\\n") }',
  'type T { a: Int }',
  `${'{ a '.repeat(21)}${'}'.repeat(21)}`,
  `{ ${'x: a '.repeat(51)}}`,
  '{ ...F } fragment F on T { a { ...F } }'
]
const PIECES = [
  ...'{}()[]:!$@|&=.,"\'\\#\n\r\t\0 ',
  '...',
  '"""',
  '\\"""',
  '{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a',
  '...F',
  'fragment F on T { ...F }',
  ' query A { a }',
  'mutation',
  'subscription',
  '__proto__',
  'constructor',
  '@skip(if: true)',
  'x: a ',
  '-0',
  '1e400',
  '9007199254740993',
  '\ufeff',
  '\u2028',
  '\ud83d',
  '\u{1f600}',
  '\u0130',
  '%s%d%j'
]

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) }
)
const edit = fc.record({ at: fc.nat(400), cut: fc.nat(6), insert: piece })

/** A text with some parts replaced; unchanged in a third of the cases. */
const bent = (texts: readonly string[]) =>
  fc.tuple(fc.constantFrom(...texts), fc.oneof(fc.constant([]), fc.array(edit, { maxLength: 4 }))).map(([text, edits]) =>
    edits.reduce((whole, { at, cut, insert }) => {
      const from = at % (whole.length + 1)
      return whole.slice(0, from) + insert + whole.slice(from + cut)
    }, text)
  )

/** Failures are rare, because the service waits before it retries after a broken connection. */
const document = fc.oneof({ weight: 100, arbitrary: bent(DOCUMENTS) }, { weight: 1, arbitrary: bent(FAILURES.map(word => `{ ${word} }`)) })
const VALUES = [
  '{}',
  'null',
  '[]',
  '0',
  '-0',
  '1e400',
  '12345678901234567890.10',
  '"x"',
  'true',
  '{"v":1.0}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
  '{"toJSON":1,"rawJSON":"x"}',
  '{"v":"\\ud83d"}',
  `{"a":${'['.repeat(300)}${']'.repeat(300)}}`,
  `{"a":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`
]
const KEYS = ['query', 'variables', 'operationName', 'extensions', '__proto__', 'constructor', 'toJSON', 'admin', '', 'query\\u0000']
const member = fc
  .tuple(
    fc.constantFrom(...KEYS),
    fc.oneof(
      fc.constantFrom(...VALUES, '"A"', '"__proto__"'),
      document.map(text => JSON.stringify(text))
    )
  )
  .map(([key, value]) => `"${key}":${value}`)

/** Usually a JSON body, with its members in any order and number. */
const body = fc.oneof(
  { weight: 5, arbitrary: document.map(query => JSON.stringify({ query })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(document, fc.array(member, { maxLength: 4 }))
      .map(([query, more]) => `{${[`"query":${JSON.stringify(query)}`, ...more].join(',')}}`)
  },
  { weight: 1, arbitrary: fc.array(member, { maxLength: 4 }).map(members => `{${members.join(',')}}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: bent(['{"query":"{ a }","variables":{"v":1.0},"operationName":null}', ...VALUES]) }
)

const HEADER_NAMES = [
  'x-hasura-role',
  'x-hasura-admin-secret',
  'X-Hasura-User-Id',
  'authorization',
  'Authorization',
  'x-api-key',
  'X-API-KEY',
  'cookie',
  'proxy-authorization',
  'x-request-id',
  'traceparent',
  'tracestate',
  'accept',
  'accept-encoding',
  'content-encoding',
  'origin',
  'x-forwarded-for',
  'x-http-method-override',
  '__proto__',
  'constructor',
  'connection',
  'te',
  'range',
  'if-none-match'
]
const HEADER_VALUES = [
  '',
  'reader',
  'admin',
  'reader, admin',
  'Bearer x.y.z',
  'Bearer ',
  'Basic eDp5',
  'gzip',
  'gzip;q=0, *',
  'application/json',
  'application/graphql-response+json',
  'text/html',
  '*/*;q=0.1',
  ';;q=,,/',
  '\u00e9\u00ff',
  'a'.repeat(300),
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'keep-alive',
  '__proto__',
  '%00%0d%0a'
]
/** Visible latin1, the characters that a header may contain. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter(code => code !== 0x7f)
    .map(code => String.fromCharCode(code)),
  maxLength: 20
})
const header = fc.tuple(
  fc.constantFrom(...HEADER_NAMES),
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...HEADER_VALUES) }, { weight: 1, arbitrary: headerText })
)
const headers = fc.oneof(fc.constant<[string, string][]>([]), fc.array(header, { maxLength: 4 }))

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=utf-16',
  'text/plain',
  '',
  'application/graphql',
  ';',
  'application/json, text/html'
]
const contentType = fc.oneof(
  { weight: 9, arbitrary: fc.constant('application/json') },
  { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) }
)

const PATHS = [
  '/execute-graphql',
  '/execute-graphql?query={a}',
  '/health/live',
  '/health/ready',
  '/',
  '/metrics',
  '/operations',
  '/operations/users',
  '/documentation',
  '/graphiql'
]
const PATH_PIECES = [
  '/',
  '//',
  '..',
  '%',
  '%2e',
  '%00',
  '%c3%28',
  ':',
  ':x(',
  '*',
  '(',
  '?',
  '&',
  '=',
  ';',
  '\u00e9',
  '__proto__',
  'query={b}',
  '%ff',
  '~',
  '[',
  '#'
]
const path = fc.oneof(
  { weight: 5, arbitrary: fc.constant('/execute-graphql') },
  {
    weight: 2,
    arbitrary: fc
      .tuple(document, fc.option(fc.constantFrom(...VALUES), { nil: undefined }))
      .map(
        ([query, variables]) => `/execute-graphql?query=${inUrl(query)}${variables === undefined ? '' : `&variables=${inUrl(variables)}`}`
      )
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...PATHS), fc.array(fc.tuple(fc.nat(30), fc.constantFrom(...PATH_PIECES)), { maxLength: 3 }))
      .map(([start, pieces]) =>
        pieces.reduce((whole, [at, text]) => whole.slice(0, 1 + (at % whole.length)) + text + whole.slice(1 + (at % whole.length)), start)
      )
  }
)
const inUrl = (text: string) => encodeURIComponent(text.toWellFormed())

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND']
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constant('POST') },
  { weight: 3, arbitrary: fc.constant('GET') },
  { weight: 1, arbitrary: fc.constantFrom(...METHODS) }
)

/** How the valid key is sent; in half of the cases it is not. */
const right = fc.constantFrom<readonly [string, string] | undefined>(
  undefined,
  undefined,
  ['x-api-key', RIGHT_KEY],
  ['authorization', `Bearer ${RIGHT_KEY}`]
)
const CREDENTIAL = /^(x-api-key|authorization)$/i

/** A request that is well-formed HTTP, whatever it contains. */
export const wellFormed: fc.Arbitrary<FuzzRequest> = fc
  .record({ method, path, headers, contentType, body, right })
  .map(({ method, path, headers, contentType, body, right }) => {
    const shown = right ? [...headers.filter(([name]) => !CREDENTIAL.test(name)), right] : headers
    const content = Buffer.from(body).toString('latin1')
    const lines = [
      `${method} ${path} HTTP/1.1`,
      'host: localhost',
      ...shown.filter(([name]) => name !== 'connection').map(([name, value]) => `${name}: ${value}`),
      `content-type: ${contentType}`,
      `content-length: ${content.length}`
    ]
    const mayFail = FAILURES.some(word => body.includes(word) || path.includes(word))
    return { method, bytes: `${lines.join('\r\n')}\r\n\r\n${content}`, hasRight: right !== undefined, mayFail }
  })

const anyByte = fc.string({ unit: fc.nat(255).map(code => String.fromCharCode(code)), minLength: 1, maxLength: 6 })

/** Bytes that were derived from a request, without the valid key. */
export const rawBytes: fc.Arbitrary<string> = fc
  .tuple(
    wellFormed.filter(({ hasRight, mayFail }) => !hasRight && !mayFail),
    fc.array(
      fc.tuple(
        fc.nat(500),
        fc.nat(4),
        fc.oneof(anyByte, fc.constantFrom('\r\n', '\n', '\0', ' ', ':', 'transfer-encoding: chunked\r\n', 'content-length: 0\r\n'))
      ),
      { minLength: 1, maxLength: 4 }
    )
  )
  .map(([{ bytes }, edits]) =>
    edits.reduce((whole, [at, cut, insert]) => {
      const from = at % whole.length
      return whole.slice(0, from) + insert + whole.slice(from + cut)
    }, bytes)
  )
