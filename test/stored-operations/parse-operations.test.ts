// The folder of stored operations: all invalid files are named at once, and a valid one becomes an operation.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readOperationFolder } from '../../src/stored-operations/operation-folder.ts'
import { catalogOf, faultsOf } from './fixtures.ts'

t.test('each invalid file is reported with its line and the reason', async t => {
  const cases: [string, string, string][] = [
    ['two operations', '# head\nquery A { a }\nmutation B { b }', 'x.graphql:3 contains 2 operations; only one is allowed'],
    ['a syntax error', 'query A {\n  a(\n}', 'x.graphql:3 Syntax Error: Expected Name, found "}".'],
    ['nothing', '# only a comment', 'x.graphql:1 Syntax Error: Unexpected <EOF>.'],
    ['no operation', 'fragment F on T { a }', 'x.graphql: contains no operation'],
    ['no name', '\n{ a }', 'x.graphql:2 the operation has no name'],
    ['a type', 'query A { a }\ntype T { a: Int }', 'x.graphql:2 only an operation and its fragments are allowed here'],
    ['an undeclared variable', 'query A {\n  a(b: $c)\n}', 'x.graphql:2 Variable "$c" is not defined by operation "A".'],
    ['an unknown fragment', 'query A {\n  ...F\n}', 'x.graphql:2 Unknown fragment "F".'],
    ['an unused fragment', 'query A { a }\nfragment F on T { a }', 'x.graphql:2 Fragment "F" is never used.'],
    ['a circle', 'query A { ...F }\nfragment F on T { b { ...F } }', 'x.graphql:2 Cannot spread fragment "F" within itself.'],
    ['a variable declared twice', 'query A($a: Int, $a: Int) { a(b: $a) }', 'x.graphql:1 There can be only one variable named "$a".'],
    ['an argument given twice', 'query A { a(b: 1, b: 2) }', 'x.graphql:1 There can be only one argument named "b".'],
    ['a field of an object given twice', 'query A { a(b: { c: 1, c: 2 }) }', 'x.graphql:1 There can be only one input field named "c".'],
    ['nesting without end', `query A ${'{ a '.repeat(50_000)}`, 'x.graphql: is nested too deeply']
  ]
  for (const [title, text, fault] of cases) t.strictSame(faultsOf(t, { 'x.graphql': text }), [fault], title)
})

t.test('all invalid files are named at once, including two with the same operation name', async t => {
  const faults = faultsOf(t, {
    'a.graphql': 'query Same { a }',
    'b.graphql': '# b\nquery Same { b }',
    'c.graphql': '{',
    'my op.graphql': 'query D { d }',
    'E.gql': 'query E { e }',
    'f.graphql': {}
  })
  t.strictSame(
    faults.map(fault => fault.replace(/ \S*a\.graphql/, ' a.graphql')),
    [
      'E.gql: the file name must consist of [A-Za-z0-9_-] and end in .graphql',
      'f.graphql: cannot be read (EISDIR)',
      'my op.graphql: the file name must consist of [A-Za-z0-9_-] and end in .graphql',
      'c.graphql:1 Syntax Error: Expected Name, found <EOF>.',
      'b.graphql:2 a.graphql has an operation of the same name'
    ]
  )
})

t.test('an error in a shared fragment is reported with its own file and line', async t => {
  const operation = 'query A { ...F ...G }'
  t.strictSame(
    faultsOf(t, { 'a.graphql': operation, fragments: { 'f.graphql': 'fragment F on T { a }\nfragment G on T {\n  a(b: $c)\n}' } }),
    ['fragments/f.graphql:3 Variable "$c" is not defined by operation "A".']
  )
  t.strictSame(
    faultsOf(t, { fragments: { 'f.graphql': 'fragment F on T { a }', 'g.graphql': '\nfragment F on T { b }\nquery Q { a }' } }),
    ['fragments/g.graphql:2 another file also defines the fragment F', 'fragments/g.graphql:3 only fragments are allowed here']
  )
  t.strictSame(
    faultsOf(t, { 'a.graphql': 'query A { ...F }\nfragment F on T { a }', fragments: { 'f.graphql': 'fragment F on T { b }' } }),
    ['a.graphql:2 another file also defines the fragment F']
  )
})

t.test('a missing or empty folder has no operations; a file in its place is an error', async t => {
  const folder = t.testdir({ empty: {}, file: 'x' })
  for (const name of ['empty', 'gone']) {
    t.strictSame(readOperationFolder(join(folder, name)), { operations: [], fragments: [], ignored: [], problems: [] }, name)
  }
  t.match(readOperationFolder(join(folder, 'file')).problems, [{ reason: /ENOTDIR/ }])
})

t.test('other files are ignored and named, hidden ones silently', async t => {
  const folder = t.testdir({ 'README.md': '', '.gitkeep': '', 'a.graphql': 'query A { a }', other: { 'b.graphql': 'query B { b }' } })
  const { operations, ignored } = readOperationFolder(folder)
  t.strictSame(
    operations.map(({ name }) => name),
    ['a']
  )
  t.strictSame(ignored, [join(folder, 'README.md'), join(folder, 'other')])
})

t.test('files are read through links, as Kubernetes mounts them', async t => {
  const folder = t.testdir({})
  mkdirSync(join(folder, '..2026'))
  writeFileSync(join(folder, '..2026', 'a.graphql'), 'query A { a }')
  symlinkSync('..2026', join(folder, '..data'))
  symlinkSync('..data/a.graphql', join(folder, 'a.graphql'))
  t.strictSame(
    readOperationFolder(folder).operations.map(({ text }) => text),
    ['query A { a }']
  )
})

t.test('the comment at the top is the description, or else the quoted description', async t => {
  const catalog = catalogOf(t, {
    'a.graphql': '\ufeff# One.\n#   Two.\n\n# Three.\nquery A { a } # four',
    'b.graphql': '"""\nIn quotes.\n"""\nquery B("of b" $b: Int) { b(b: $b) }',
    'c.graphql': 'query C { c }\n# not at the head'
  })
  t.strictSame(
    catalog.operations.map(({ description }) => description),
    ['One.\n  Two.\n\nThree.', 'In quotes.', undefined]
  )
  t.equal(catalog.operations[1]?.document.text, 'query B($b: Int) {\n  b(b: $b)\n}', 'older parsers know of no descriptions')
})

t.test('@example at the top is an example of the variables, and not part of the description', async t => {
  const { operations } = catalogOf(t, {
    'a.graphql':
      '# One.\n# @example {"id": 9007199254740993,\n#   "list": [1.0]}\n#\n# Two.\nquery A($id: Int, $list: [Float!]) { a(b: $id, c: $list) }',
    'b.graphql': '# @examples are not meant\nquery B { b }'
  })
  t.strictSame(
    operations.map(({ description, example }) => [description, JSON.stringify(example)]),
    [
      ['One.\n\nTwo.', '{"id":9007199254740993,"list":[1.0]}'],
      ['@examples are not meant', undefined]
    ]
  )
  const bad: [example: string, fault: string][] = [
    ['', 'the text after @example is not JSON'],
    ['{', 'the text after @example is not JSON'],
    ['[1]', 'the text after @example is not a JSON object of variables'],
    ['null', 'the text after @example is not a JSON object of variables'],
    ['1', 'the text after @example is not a JSON object of variables'],
    ['{"id":1,"nope":2}', 'the @example has "nope", which is not a variable'],
    ['{"__proto__":2}', 'the @example has "__proto__", which is not a variable']
  ]
  for (const [example, fault] of bad)
    t.strictSame(
      faultsOf(t, { 'a.graphql': `# One.\n# @example ${example}\nquery A($id: Int) { a(b: $id) }` }),
      [`a.graphql:2 ${fault}`],
      example
    )
})

t.test('the text that is sent contains exactly the shared fragments that are used, directly or through others', async t => {
  const catalog = catalogOf(t, {
    'a.graphql': 'query A { a { ...F } }',
    fragments: { 'x.graphql': 'fragment Unused on T { x }\nfragment F on T { ...G }', 'y.graphql': 'fragment G on T { g }' }
  })
  t.equal(
    catalog.operations[0]?.document.text,
    'query A {\n  a {\n    ...F\n  }\n}\n\nfragment F on T {\n  ...G\n}\n\nfragment G on T {\n  g\n}'
  )
  t.equal(catalog.operations[0]?.document.json, JSON.stringify(catalog.operations[0]?.document.text))
})

t.test('two files may have fragments with the same name', async t => {
  const files = { 'a.graphql': 'query A { ...F }\nfragment F on T { a }', 'b.graphql': 'query B { ...F }\nfragment F on T { b }' }
  t.strictSame(faultsOf(t, files), [])
})

t.test('variables are listed with type, default and whether they are required', async t => {
  const catalog = catalogOf(t, { 'a.graphql': 'query A($a: [Int!]!, $b: Int! = 1, $c: uuid) { x(a: $a, b: $b, c: $c) }' })
  t.match(catalog.operations[0]?.variables, [
    { name: 'a', type: '[Int!]!', isRequired: true },
    { name: 'b', type: 'Int!', isRequired: false },
    { name: 'c', type: 'uuid', isRequired: false }
  ])
})
