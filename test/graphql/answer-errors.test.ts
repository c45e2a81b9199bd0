// Errors are found wherever a server may put them, and nowhere else.
import fc from 'fast-check'
import t from 'tap'
import { readErrors } from '../../src/graphql/answer-errors.ts'

const read = (text: string, isWhole = true, encoding?: string) => readErrors(Buffer.from(text), isWhole, encoding)
const error = (code: string) => `{"extensions":{"path":"$","code":"${code}"},"message":"no"}`
const rows = (count: number) => JSON.stringify(Array.from({ length: count }, (_, id) => ({ id, name: 'x"errors":[{"' })))

t.test('answers with errors, and the first code', async t => {
  for (const [text, code] of [
    [`{"errors":[${error('validation-failed')},${error('second')}]}`, 'validation-failed'],
    ['{"errors":[{"message":"no \\"code\\":\\"not-this\\""}]}', undefined],
    ['{"data":null,"errors":[{"message":"no"}]}', undefined],
    [`{ "errors" : [ ${error('spaced')} ] }`, 'spaced'],
    [`{"data":{"a":null},"errors":[${error('beside-data')}],"extensions":{}}`, 'beside-data'],
    [`{"data":{"rows":${rows(500)}},"errors":[${error('at-the-end')}]}`, 'at-the-end'],
    [`{"errors":[${error('large')}],"data":${rows(5_000)}}`, 'large'],
    [`{"errors":[{"message":"${'x'.repeat(10_000)}"}]}`, undefined],
    [`{"errors":[{"extensions":{"code":"${'x'.repeat(65)}"}}]}`, undefined]
  ] as const)
    t.strictSame(read(text), { code }, text.slice(0, 80))
  t.strictSame(read(`{"errors":[${error('streamed')}],"data":[`, false), { code: 'streamed' })
  t.strictSame(read('{"data":null,"errors":[{"message":"no"},', false), { code: undefined })
})

t.test('answers without errors', async t => {
  for (const text of [
    '{"data":{"users":[{"id":1}]}}',
    `{"data":{"rows":${rows(10)}}}`,
    `{"data":{"rows":${rows(500)}}}`,
    '{"data":{"errors":[{"code":"a-field-of-that-name"}]}}',
    '{"data":{"a":"\\"errors\\":[{"}}',
    '{"data":null}',
    '{"data":{},"errors":[]}',
    '{"data":{},"errors":null}',
    '["errors"]',
    '{"message":"errors"}',
    '{',
    ''
  ])
    t.equal(read(text), undefined, text.slice(0, 80))
  t.equal(read(`{"errors":[${error('x')}]}`, true, 'gzip'), undefined, 'what is compressed is not looked into')
})

t.test('for a small answer, the result agrees with a parser', async t => {
  const members = fc.uniqueArray(fc.tuple(fc.constantFrom('data', 'errors', 'extensions', 'x'), fc.jsonValue()), {
    selector: ([name]) => name
  })
  const sameAsParser = fc.property(members, fc.constantFrom(undefined, 2), (entries, indent) => {
    const text = JSON.stringify(Object.fromEntries(entries), null, indent)
    fc.pre(text.length <= 1_024)
    const { errors } = JSON.parse(text)
    return (read(text) !== undefined) === (Array.isArray(errors) && errors.length > 0)
  })
  t.doesNotThrow(() => fc.assert(sameAsParser))
})
