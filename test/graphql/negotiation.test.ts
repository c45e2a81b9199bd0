// Media types of GraphQL over HTTP.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { acceptsGzip, GRAPHQL_RESPONSE_TYPE, hasDataMember, JSON_TYPE, negotiateType, statusOf } from '../../src/graphql/negotiation.ts'

t.test('what Accept takes', async t => {
  const cases: [string | undefined, string | undefined][] = [
    ['text/html', undefined],
    ['application/json;q=0', undefined],
    ['text/html, application/json;q=0, application/graphql-response+json;q=0', undefined],
    ['nonsense', undefined],
    [undefined, JSON_TYPE],
    ['', JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    ['application/json', JSON_TYPE],
    ['Application/JSON', JSON_TYPE],
    ['application/json; charset=utf-8', JSON_TYPE],
    ['text/html,application/xhtml+xml,*/*;q=0.8', JSON_TYPE],
    ['application/json, application/graphql-response+json', JSON_TYPE],
    ['application/graphql-response+json;q=0.5, application/json', JSON_TYPE],
    [GRAPHQL_RESPONSE_TYPE, GRAPHQL_RESPONSE_TYPE],
    ['application/graphql-response+json; charset=utf-8', GRAPHQL_RESPONSE_TYPE],
    ['application/graphql-response+json, application/json;q=0.9', GRAPHQL_RESPONSE_TYPE],
    ['application/json;q=0.1, application/graphql-response+json', GRAPHQL_RESPONSE_TYPE],
    ['application/graphql-response+json, */*', GRAPHQL_RESPONSE_TYPE]
  ]
  for (const [accept, type] of cases) t.equal(negotiateType(accept), type, String(accept))
})

t.test('no Accept header makes it throw', async t => {
  fc.assert(fc.property(fc.string(), accept => void negotiateType(accept)))
  t.pass()
})

t.test('who takes gzip', async t => {
  const cases: [string | undefined, boolean][] = [
    [undefined, false],
    ['', false],
    ['identity', false],
    ['br', false],
    ['gzip;q=0', false],
    ['gzip', true],
    ['GZIP', true],
    ['br, gzip;q=0.5', true],
    ['*', true]
  ]
  for (const [value, expected] of cases) t.equal(acceptsGzip(value), expected, String(value))
})

t.test('only the type of the specification turns 200 without data into 400', async t => {
  t.equal(
    statusOf(JSON_TYPE, 200, () => false),
    200
  )
  t.equal(
    statusOf(GRAPHQL_RESPONSE_TYPE, 200, () => false),
    400
  )
  t.equal(
    statusOf(GRAPHQL_RESPONSE_TYPE, 200, () => true),
    200
  )
  t.equal(
    statusOf(GRAPHQL_RESPONSE_TYPE, 500, () => false),
    500
  )
})

t.test('where a member data is seen', async t => {
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

t.test('it agrees with a parser on any object', async t => {
  const key = fc.oneof(fc.constantFrom('data', 'errors', 'da\\ta"', '{', ']'), fc.string())
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue()), fc.constantFrom(undefined, 1), (object, indent) => {
      return hasDataMember(Buffer.from(JSON.stringify(object, null, indent))) === Object.hasOwn(object, 'data')
    })
  )
  t.pass()
})
