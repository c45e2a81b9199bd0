// The documentation agrees with the code: every setting with its default, every error code with its status.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { ERROR_TABLE } from '../src/errors.ts'
import { SettingsSchema } from '../src/settings.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** The rows of a Markdown table whose first cell is code: this cell and the next. */
const rowsOf = (path: string): [string, string][] =>
  [...read(path).matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \|/gm)].map(([, name = '', value = '']) => [name, value.replaceAll('`', '')])

t.test('docs/errors.md contains the table of src/errors.ts', async t => {
  t.strictSame(
    rowsOf('docs/errors.md'),
    Object.entries(ERROR_TABLE).map(([code, { status }]) => [code, String(status)])
  )
})

t.test('docs/settings.md contains every setting with its default', async t => {
  const rows = new Map(rowsOf('docs/settings.md'))
  t.strictSame([...rows.keys()].sort(), Object.keys(SettingsSchema.properties).sort())
  for (const [name, schema] of Object.entries(SettingsSchema.properties)) {
    const standard: unknown = schema.default
    if (standard !== undefined && standard !== '') t.equal(rows.get(name), String(standard), name)
    else t.match(rows.get(name), /^(required|this or the file|this or the next|–)$/, name)
  }
})

t.test('.env.example contains every setting below its description, with its default', async t => {
  const lines = read('.env.example').split('\n')
  for (const [name, schema] of Object.entries(SettingsSchema.properties)) {
    const at = lines.findIndex(line => line.replace(/^# /, '').startsWith(`${name}=`))
    t.equal(lines[at - 1], `# ${schema.description}`, name)
    if (schema.default !== undefined && schema.default !== '') t.equal(lines[at]?.split('=')[1], String(schema.default), name)
  }
})

t.test('the table of README.md names every folder of src', async t => {
  const folders = readdirSync(new URL('../src/', import.meta.url), { withFileTypes: true }).filter(entry => entry.isDirectory())
  const readme = read('README.md')
  t.strictSame(
    folders.map(({ name }) => name).filter(name => !readme.includes(`| \`src/${name}\` |`)),
    []
  )
})

/** The titles in a test file, each as the texts around its template's values. */
const titlesOf = (source: string): string[][] =>
  [...source.matchAll(/\bt\.test\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g)].map(
    ([, single, double, template]) =>
      (single ?? double ?? template ?? '').replaceAll(/\\(.)/g, '$1').split(template === undefined ? '\n' : /\$\{[^}]*\}/)
  )

/** Whether a test file has a test with that title; a template's value must also be a string or a name in the file. */
const hasTitle = (source: string, title: string) =>
  titlesOf(source).some(([head = '', ...rest]) => {
    const tail = rest.at(-1)
    if (tail === undefined) return title === head
    if (!title.startsWith(head) || !title.endsWith(tail)) return false
    const value = title.slice(head.length, title.length - tail.length)
    return source.includes(`'${value}'`) || source.includes(`${value}:`)
  })

t.test('SECURITY.md quotes titles of tests that exist', async t => {
  const quoted = [...read('SECURITY.md').matchAll(/`(test\/[^`]+\.ts)`((?:,? "[^"]*")*)/g)].flatMap(([, path = '', titles = '']) =>
    [...titles.matchAll(/"([^"]*)"/g)].map(([, title = '']) => [path, title] as const)
  )
  t.ok(quoted.length > 100)
  t.strictSame(
    quoted.filter(([path, title]) => !hasTitle(read(path), title)),
    []
  )
})
