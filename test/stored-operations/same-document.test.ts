// A caller's document equals a stored one if only layout, comments and the order of its definitions differ.
import t from 'tap'
import { createDocumentCheck } from '../../src/graphql/document.ts'
import { createFinder } from '../../src/stored-operations/same-document.ts'
import { catalogOf } from './fixtures.ts'

const FILES = {
  'a.graphql': '# head\nquery A($n: Int = 1) { users(n: $n, s: "x") { ...F } }',
  fragments: { 'f.graphql': 'fragment F on User { id name }' }
}
const check = createDocumentCheck({ maxDepth: 20, maxTokens: 1000, maxFields: 5000, maxAliases: 10, maxDirectives: 10 })

t.test('documents that differ', async t => {
  const find = createFinder(catalogOf(t, FILES).operations)
  for (const text of [
    'query A($n: Int = 1) { users(n: $n, s: "x") { ...F } }',
    'query A($n: Int = 1) { users(n: $n, s: "x") { ...F } } fragment F on User { name id }',
    'query A($n: Int = 2) { users(n: $n, s: "x") { ...F } } fragment F on User { id name }',
    'query A($n: Int = 1) { users(n: $n, s: "X") { ...F } } fragment F on User { id name }',
    'query B($n: Int = 1) { users(n: $n, s: "x") { ...F } } fragment F on User { id name }',
    'mutation A($n: Int = 1) { users(n: $n, s: "x") { ...F } } fragment F on User { id name }',
    'query ($n: Int = 1) { users(n: $n, s: "x") { ...F } } fragment F on User { id name }',
    'query A($n: Int = 1) { users(n: $n, s: "x") { ...F } } query B { b } fragment F on User { id name }',
    'query A($n: Int = 1) { users(n: $n, s: "x") { ...F } } fragment F on User { id name } fragment G on User { id }',
    'query __proto__ { a }',
    'query constructor { a }'
  ]) {
    t.equal(find(check(text)), undefined, text)
  }
  t.equal(find({ text: '{', json: '', operations: [{ kind: 'query', name: 'A' }] }), undefined, 'what does not parse')
})

t.test('documents that are equal', async t => {
  const find = createFinder(catalogOf(t, FILES).operations)
  for (const text of [
    'query A($n: Int = 1) { users(n: $n, s: "x") { ...F } } fragment F on User { id name }',
    '\n\n# c\nfragment F on User {\n  id,, name # d\n}\n\tquery A ( $n : Int=1 ){users(n:$n s:"x"){...F}}'
  ]) {
    const document = check(text)
    t.equal(find(document)?.name, 'a', text)
    t.equal(find(document)?.name, 'a', 'also the second time')
  }
})

t.test('a block string with a backslash becomes a quoted string, and is equal however a caller writes it', async t => {
  const catalog = catalogOf(t, { 'b.graphql': 'query B { users(s: """a\\d""", t: """b""") { id } }' })
  const sent = 'query B {\n  users(s: "a\\\\d", t: """b""") {\n    id\n  }\n}'
  t.equal(catalog.operations[0]?.document.text, sent)
  for (const text of ['query B { users(s: """a\\d""", t: """b""") { id } }', sent]) t.equal(catalog.require(check(text)).name, 'b', text)
})
