// Media types of GraphQL over HTTP.
import fc from 'fast-check'
import t from 'tap'
import { GRAPHQL_RESPONSE_TYPE, HEADER_MAX_LENGTH, JSON_TYPE, negotiateType, statusOf } from '../../src/graphql/negotiation.ts'

t.test('which media type an Accept header selects', async t => {
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

t.test('no Accept header makes negotiation throw', async t => {
  fc.assert(fc.property(fc.string(), accept => void negotiateType(accept)))
  t.pass()
})

t.test('an overlong header is ignored', async t => {
  const long = (end: string) => `${'text/a,'.repeat(10_000)}${end}`
  for (const accept of [long('text/html'), long(GRAPHQL_RESPONSE_TYPE)]) t.equal(negotiateType(accept), JSON_TYPE)
  const most = `text/html,${GRAPHQL_RESPONSE_TYPE}`.padEnd(HEADER_MAX_LENGTH)
  t.equal(negotiateType(most), GRAPHQL_RESPONSE_TYPE, 'one of the longest that counts')
})

t.test('only application/graphql-response+json turns 200 without data into 400', async t => {
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
