// Finding the member data in an answer.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { hasDataMember } from '../../src/graphql/has-data-member.ts'

t.test('the member data is found', async t => {
  const cases: [string, boolean][] = [
    ['{"errors":[{"message":"no"}]}', false],
    ['{"errors":[{"data":1}]}', false],
    ['{"errors":"\\"data\\":"}', false],
    ['{"errors":"data"}', false],
    ['["data"]', false],
    ['{"data', false],
    ['', false],
    ['{"data":null}', true],
    ['{"data":{"a":1}}', true],
    [' { "data" : null }', true],
    ['{"errors":[{"message":"}{"}],"data":null}', true],
    ['{"extensions":{"a":"\\\\"},"data":{"cut', true]
  ]
  for (const [body, expected] of cases) {
    t.equal(hasDataMember(Buffer.from(body)), expected, body)
    t.equal(hasDataMember(gzipSync(body), 'gzip'), expected, `${body} in gzip`)
  }
})

t.test('the result agrees with a parser for any object', async t => {
  const key = fc.oneof(fc.constantFrom('data', 'errors', 'da\\ta"', '{', ']'), fc.string())
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue()), fc.constantFrom(undefined, 1), (object, indent) => {
      return hasDataMember(Buffer.from(JSON.stringify(object, null, indent))) === Object.hasOwn(object, 'data')
    })
  )
  t.pass()
})
