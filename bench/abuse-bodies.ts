// The requests that cost the service most for their size, each beside a plain one.

/** A request in the table, and its name there. */
export type Abuse = { name: string; path: string; body: string; headers?: Record<string, string> }

/** The size of a body, in bytes: the default of BODY_LIMIT_BYTES. */
const BODY_BYTES = 1_048_576

const filled = (before: string, unit: string, after: string): string =>
  before + unit.repeat(Math.floor((BODY_BYTES - before.length - after.length) / unit.length)) + after

const variables = (unit: string): string => filled('{"query":"{ a }","variables":{"a":[', unit, '1]}}')
const document = (before: string, unit: string, after: string): string => filled(`{"query":"${before}`, unit, `${after}"}`)

/** Members or objects with a new name each, up to the size of a body. */
function named(before: string, write: (n: number) => string, after: string): string {
  const parts: string[] = []
  for (let bytes = before.length + after.length, n = 0; bytes < BODY_BYTES - 20; n++) {
    const part = write(n)
    parts.push(part)
    bytes += part.length + 1
  }
  return before + parts.join(',') + after
}

const levels = (depth: number, inner: string) => '{"_not":'.repeat(depth) + inner + '}'.repeat(depth)

const EXECUTE: readonly [string, string][] = [
  ['plain text', filled('{"query":"{ a }","variables":{"a":"', 'x', '"}}')],
  ['plain numbers', variables('1234567,')],
  ['floats', variables('1.0,')],
  ['-0', variables('-0,')],
  ['empty objects', variables('{},')],
  ['nested 500 deep, many times', variables(`${'[{"a":'.repeat(250)}1${'}]'.repeat(250)},`)],
  ['brackets that do not end', '['.repeat(BODY_BYTES)],
  ['an object of many members', named('{"query":"{ a }","variables":{', n => `"${n.toString(36)}":1`, '}}')],
  ['objects of a new name each', named('{"query":"{ a }","variables":{"a":[', n => `{"${n.toString(36)}":1}`, ']}}')],
  ['comments', document('', '#\\n', '{ a }')],
  ['comments and a syntax error', document('', '#\\n', '}')],
  ['empty lines and a syntax error', document('', '\\n', '}')],
  ['a block string of empty lines', document('{ a(b: \\"\\"\\"', '\\n', '\\"\\"\\") }')],
  ['the same and a syntax error', document('{ a(b: \\"\\"\\"', '\\n', '\\"\\"\\")')],
  ['a block string of escaped quotes', document('{ a(b: \\"\\"\\"', '\\\\\\"\\"\\"', ' \\"\\"\\") }')],
  ['nested input', document('{ a(b: ', '[', '')],
  ['many aliases', named('{"query":"{', n => `a${n}:a`, '}"}')]
]

/** The requests that are measured one at a time; the first is plain text. */
export const ABUSES: readonly Abuse[] = [
  ...EXECUTE.map(([name, body]) => ({ name, path: '/execute-graphql', body })),
  { name: 'a small body', path: '/execute-graphql', body: '{"query":"{ a }"}' },
  { name: 'Accept of 15 kB', path: '/execute-graphql', body: '{"query":"{ a }"}', headers: { accept: 'text/a,'.repeat(2_140) } },
  { name: 'stored: floats', path: '/operations/any', body: filled('{"where":{"any":[', '1.0,', '1]}}') },
  {
    name: 'stored: objects of a new name each',
    path: '/operations/any',
    body: named('{"where":{"any":[', n => `{"${n.toString(36)}":1}`, ']}}')
  },
  {
    name: 'stored: faults 900 deep',
    path: '/operations/any',
    body: filled(`{"where":${'{"_not":'.repeat(900)}{"id":[`, '"",', `1]}${'}'.repeat(900)}}`)
  },
  {
    name: 'stored: values that fit, 900 deep',
    path: '/operations/any',
    body: `{"where":${levels(900, filled('{"id":[', '1,', '1]}').slice(0, -16_400).replace(/,*$/, ']}'))}}`
  }
]

/** Different documents, each with many operations. */
export const DOCUMENTS: readonly string[] = Array.from({ length: 5_000 }, (_, n) =>
  JSON.stringify({ query: `${'{a}'.repeat(1_600)}#${n}`, operationName: 'A' })
)
