// A folder that has changed: each valid file takes effect, an invalid one leaves its previous version, and unchanged ones stay the same object.
import t from 'tap'
import { type LoadedOperations, loadOperations, reloadOperations } from '../../src/stored-operations/load-operations.ts'
import type { OperationFolder } from '../../src/stored-operations/operation-folder.ts'

/** A folder of these texts by name; undefined means a file that cannot be read. */
function folderOf(operations: Record<string, string | undefined>, fragments: Record<string, string> = {}): OperationFolder {
  const filesOf = (folder: string, texts: Record<string, string | undefined>) =>
    Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : { name, path: `${folder}/${name}`, text }))
  const unreadable = Object.entries(operations).filter(([, text]) => text === undefined)
  return {
    operations: filesOf('ops', operations),
    fragments: filesOf('ops/fragments', fragments),
    ignored: [],
    problems: unreadable.map(([name]) => ({ file: `ops/${name}`, reason: 'cannot be read (EACCES)' }))
  }
}

const textsOf = ({ operations }: LoadedOperations) =>
  operations.map(({ name, document }) => `${name} ${document.text.replace(/\s+/g, ' ')}`)
const faultsOf = ({ problems }: LoadedOperations) => problems.map(({ file, line, reason }) => `${file}:${line ?? ''} ${reason}`)

t.test('a file or folder that cannot be read leaves the previous version', async t => {
  const before = loadOperations(folderOf({ a: 'query A { a }', b: 'query B { b }' }))
  const one = reloadOperations(folderOf({ a: undefined }), before)
  t.strictSame(textsOf(one), ['a query A { a }'], 'and a removed file is gone')
  t.strictSame(faultsOf(one), ['ops/a: cannot be read (EACCES)'])
  const none = reloadOperations({ ...folderOf({}), problems: [{ file: 'ops', reason: 'cannot be read (EACCES)' }] }, before)
  t.strictSame(textsOf(none), textsOf(before))
})

t.test('an operation keeps its own fragments while the new ones are invalid', async t => {
  const before = loadOperations(
    folderOf({ a: 'query A { ...F }', b: 'query B { ...G }' }, { f: 'fragment F on T { f1 }\nfragment G on T { g1 }' })
  )
  const broken = reloadOperations(
    folderOf({ a: 'query A { ...F }', b: 'query B { ...G }' }, { f: 'fragment F on T { f2(x: $nope) }\nfragment G on T { g2 }' }),
    before
  )
  t.strictSame(textsOf(broken), ['a query A { ...F } fragment F on T { f1 }', 'b query B { ...G } fragment G on T { g2 }'])
  t.strictSame(faultsOf(broken), ['ops/fragments/f:1 Variable "$nope" is not defined by operation "A".'])
  const mended = reloadOperations(
    folderOf({ a: 'query A { ...F }', b: 'query B { ...G }' }, { f: 'fragment F on T { f3 }\nfragment G on T { g2 }' }),
    broken
  )
  t.strictSame(textsOf(mended)[0], 'a query A { ...F } fragment F on T { f3 }')
  t.strictSame(faultsOf(mended), [])
})

t.test('if two files use one operation name, the file that had it keeps it', async t => {
  const before = loadOperations(folderOf({ a: 'query A { a }', b: 'query B { b }' }))
  const first = reloadOperations(folderOf({ a: 'query B { new }', b: 'query B { b }' }), before)
  t.strictSame(textsOf(first), ['a query A { a }', 'b query B { b }'])
  t.strictSame(faultsOf(first), ['ops/a:1 ops/b has an operation of the same name'])
  t.strictSame(
    faultsOf(reloadOperations(folderOf({ a: 'query B { new }', b: 'query B { b }' }), first)),
    faultsOf(first),
    'it is refused for as long as it stands there'
  )
  const third = reloadOperations(folderOf({ a: 'query A { a }', b: 'query B { b }', c: '\nquery A { c }' }), before)
  t.strictSame(textsOf(third), textsOf(before))
  t.strictSame(faultsOf(third), ['ops/c:2 ops/a has an operation of the same name'])
  const swapped = reloadOperations(folderOf({ a: 'query B { a }', b: 'query A { b }' }), before)
  t.strictSame(textsOf(swapped), ['a query B { a }', 'b query A { b }'], 'two files may swap their names')
  const chain = reloadOperations(folderOf({ a: 'query B { a }', b: 'query {', c: 'query A { c }' }), before)
  t.strictSame(textsOf(chain), ['a query A { a }', 'b query B { b }'], 'a refusal that calls for another')
  t.equal(chain.problems.length, 3)
})

t.test('unchanged operations stay the same object, so that nothing is rebuilt', async t => {
  const texts = { a: 'query A { ...F }', b: 'query B { b }' }
  const before = loadOperations(folderOf(texts, { f: 'fragment F on T { f }' }))
  t.equal(reloadOperations(folderOf(texts, { f: 'fragment F on T { f }' }), before).operations, before.operations)
  const after = reloadOperations(folderOf({ ...texts, b: 'query B { new }' }, { f: 'fragment F on T { f }' }), before)
  t.equal(after.operations[0], before.operations[0])
  t.not(after.operations[1], before.operations[1])
  t.equal(
    textsOf(reloadOperations(folderOf(texts, { f: 'fragment F on T { f2 }' }), before))[0],
    'a query A { ...F } fragment F on T { f2 }'
  )
})
