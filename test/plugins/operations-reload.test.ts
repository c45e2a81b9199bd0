// The folder and the schema change while the service runs: valid changes take effect, invalid ones are refused, and no request sees half of a change.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, introspectionFromSchema } from 'graphql'
import pino from 'pino'
import t, { type Test } from 'tap'
import { operationsSent } from '../stored-operations/fixtures.ts'
import { type Answer, sendJson } from '../support/fake-server.ts'
import { codeOf, gatewayFor, givesData } from '../support/gateway.ts'

type Line = { level: number; msg: string; count: number; misfits: number }

async function start(t: Test, settings: Record<string, string>, hasura: Answer = givesData) {
  const lines: Line[] = []
  let hasWritten = Promise.withResolvers<void>()
  const write = (line: string) => {
    lines.push(JSON.parse(line))
    hasWritten.resolve()
    hasWritten = Promise.withResolvers()
  }
  const gateway = await gatewayFor(t, {
    logger: pino({ level: 'info' }, { write }),
    hasura,
    settings: { DOCS_ENABLED: 'true', ...settings }
  })
  const get = (path: string) => fetch(gateway.url + path)
  return {
    ...gateway,
    lines,
    get,
    names: async () => ((await (await get('/operations')).json()) as { operations: { name: string }[] }).operations.map(({ name }) => name),
    documented: async () =>
      Object.keys(((await (await get('/documentation/json')).json()) as { paths: object }).paths).filter(path =>
        path.startsWith('/operations/')
      ),
    reasons: async () => {
      const answer = await get('/health/ready')
      return { status: answer.status, reasons: ((await answer.json()) as { reasons: string[] }).reasons }
    },
    /** Makes a change, and resolves to the first log line with a text after it. */
    async logged(text: string, change: () => void = () => {}): Promise<Line> {
      const from = lines.length
      change()
      for (;;) {
        const found = lines.slice(from).find(({ msg }) => msg.includes(text))
        if (found) return found
        await hasWritten.promise
      }
    }
  }
}

const IN_FORCE = 'stored operations are in use'
const REFUSED = 'was refused'

t.test('added, changed and removed files take effect, even if the folder is removed and created again', async t => {
  const folder = join(t.testdir({ operations: { 'old.graphql': 'query Old { a }' } }), 'operations')
  const { get, logged, names, documented, ...gateway } = await start(t, { OPERATIONS_DIR: folder })
  await logged(IN_FORCE, () => rmSync(folder, { recursive: true }))
  t.strictSame(await names(), [])
  await logged(IN_FORCE, () => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'a.graphql'), 'query A { a }')
  })
  t.strictSame(await names(), ['a'])
  t.strictSame(await documented(), ['/operations/a'])
  t.equal((await get('/operations/a')).status, 200)

  await logged(IN_FORCE, () => {
    writeFileSync(join(folder, 'a.graphql'), '# new\nquery A { b }')
    writeFileSync(join(folder, 'c.graphql'), 'query C { c }')
  })
  t.strictSame(await names(), ['a', 'c'])
  t.equal((await get('/operations/a')).status, 200)
  t.match(operationsSent(gateway).at(-1), 'query A {\\n  b\\n}')

  await logged(IN_FORCE, () => rmSync(join(folder, 'a.graphql')))
  t.strictSame(await names(), ['c'])
  t.strictSame(await documented(), ['/operations/c'])
  t.equal((await get('/operations/a')).status, 404)
})

t.test('an invalid version is refused with file, line and reason, and the old one stays until a valid one replaces it', async t => {
  const folder = t.testdir({ 'a.graphql': 'query A { a }', 'b.graphql': 'query B { b }' })
  const { get, logged, names, reasons, ...gateway } = await start(t, { OPERATIONS_DIR: folder })
  const line = await logged(REFUSED, () => {
    writeFileSync(join(folder, 'a.graphql'), 'query A {\n  a(\n}')
    writeFileSync(join(folder, 'b.graphql'), 'query B { changed }')
    writeFileSync(join(folder, 'new.graphql'), '{')
  })
  t.match(line, { level: 50, msg: /a\.graphql:3: Syntax Error: Expected Name, found "}"/ })
  await get('/operations/a')
  t.match(operationsSent(gateway).at(-1), 'query A {\\n  a\\n}')
  while (!gateway.lines.some(({ msg }) => msg.includes(IN_FORCE))) await logged(IN_FORCE)
  await get('/operations/b')
  t.match(operationsSent(gateway).at(-1), 'changed', 'a valid file beside it takes effect')
  t.strictSame(await names(), ['a', 'b'])
  const { status, reasons: found } = await reasons()
  t.equal(status, 200)
  t.match(found, [/a\.graphql:3: Syntax Error/, /new\.graphql:1: Syntax Error/])

  await logged(IN_FORCE, () => {
    writeFileSync(join(folder, 'a.graphql'), 'query A { good }')
    rmSync(join(folder, 'new.graphql'))
  })
  t.strictSame(await reasons(), { status: 200, reasons: [] })
  t.equal(gateway.lines.filter(({ msg }) => msg.includes(REFUSED)).length, 2, 'each fault is logged once')
})

t.test('while Kubernetes swaps the folder under load, each request sees the old or the new one, never half', async t => {
  const folder = t.testdir({})
  const version = (n: number) => {
    const name = `..${n}`
    mkdirSync(join(folder, name, 'fragments'), { recursive: true })
    for (const file of ['a', 'b']) writeFileSync(join(folder, name, `${file}.graphql`), `# ${n}\nquery ${file} { v${n} ...F }`)
    writeFileSync(join(folder, name, 'fragments', 'f.graphql'), `fragment F on Q { f${n} }`)
    symlinkSync(name, join(folder, '..new'))
    renameSync(join(folder, '..new'), join(folder, '..data'))
    if (n > 0) rmSync(join(folder, `..${n - 1}`), { recursive: true })
  }
  version(0)
  for (const name of ['a.graphql', 'b.graphql', 'fragments']) symlinkSync(`..data/${name}`, join(folder, name))
  const { get, logged, ...gateway } = await start(t, { OPERATIONS_DIR: folder })

  let isOver = false
  let requests = 0
  const lists = new Set<string>()
  const statuses = new Set<number>()
  const call = async () => {
    for (const name of ['a', 'b', 'a', 'b']) statuses.add((await get(`/operations/${name}`)).status)
    const { operations } = (await (await get('/operations')).json()) as { operations: { description: string }[] }
    lists.add(operations.map(({ description }) => description).join())
    requests += 5
  }
  const caller = async () => {
    while (!isOver) await call()
    await call()
  }
  await call()
  const callers = Array.from({ length: 8 }, caller)
  for (const n of [1, 2, 3]) await logged(IN_FORCE, () => version(n))
  isOver = true
  await Promise.all(callers)

  t.ok(requests > 50, `${requests} requests`)
  t.strictSame([...statuses], [200])
  t.strictSame([...lists].sort(), ['0,0', '1,1', '2,2', '3,3'])
  const sent = new Set(operationsSent(gateway).map(body => [...body.matchAll(/[vf](\d)/g)].map(([, n]) => n).join()))
  t.strictSame([...sent].sort(), ['0,0', '1,1', '2,2', '3,3'])
  t.notOk(gateway.lines.some(({ msg }) => msg.includes(REFUSED)))
})

t.test('a changed schema file makes an operation unavailable, and available again; an unusable one changes nothing', async t => {
  const folder = t.testdir({ operations: { 'a.graphql': 'query A { a }' }, 'schema.graphqls': 'type Query { a: Int }' })
  const file = join(folder, 'schema.graphqls')
  const { get, logged, reasons } = await start(t, { OPERATIONS_DIR: join(folder, 'operations'), HASURA_SCHEMA_FILE: file })
  t.equal((await get('/operations/a')).status, 200)
  t.match(await logged(IN_FORCE, () => writeFileSync(file, 'type Query { other: Int }')), { misfits: 1 })
  t.equal(await codeOf(await get('/operations/a')), 'OPERATION_UNAVAILABLE')
  t.match((await reasons()).reasons, [/a\.graphql:1: Cannot query field "a"/])
  t.strictSame(await (await get('/operations')).json(), { operations: [{ name: 'a', kind: 'query', variables: [], available: false }] })

  t.match(await logged('HASURA_SCHEMA_FILE', () => writeFileSync(file, 'type Query {')), { level: 50, msg: /previous schema: .*line 1/ })
  t.equal(await codeOf(await get('/operations/a')), 'OPERATION_UNAVAILABLE')
  t.match((await reasons()).reasons, [/HASURA_SCHEMA_FILE cannot be used/, /a\.graphql:1/])

  t.match(await logged(IN_FORCE, () => writeFileSync(file, 'type Query { a: Int, b: Int }')), { misfits: 0 })
  t.equal((await get('/operations/a')).status, 200)
  t.strictSame(await (await get('/operations')).json(), { operations: [{ name: 'a', kind: 'query', variables: [] }] })
  t.strictSame(await reasons(), { status: 200, reasons: [] })
})

t.test('a change in the folder fetches the schema again, and takes effect even if Hasura does not answer', async t => {
  const folder = t.testdir({ 'a.graphql': 'query A { a }' })
  let fields: string | undefined = 'a: Int'
  const { logged, get } = await start(t, { OPERATIONS_DIR: folder }, (response, request, count) => {
    if (!request.body.includes('IntrospectionQuery')) return givesData(response, request, count)
    if (fields !== undefined) sendJson(response, JSON.stringify({ data: introspectionFromSchema(buildSchema(`type Query { ${fields} }`)) }))
  })
  await logged(IN_FORCE)
  fields = 'a: Int, b: Int'
  t.match(
    await logged(IN_FORCE, () => writeFileSync(join(folder, 'b.graphql'), 'query B { b }')),
    { count: 2, misfits: 0 },
    'files and schema take effect together'
  )
  fields = undefined
  t.match(await logged(IN_FORCE, () => writeFileSync(join(folder, 'c.graphql'), 'query C { c }')), { count: 3, misfits: 1 })
  t.equal(await codeOf(await get('/operations/c')), 'OPERATION_UNAVAILABLE')
  fields = 'a: Int, c: Int'
  t.match(await logged(IN_FORCE, () => writeFileSync(join(folder, 'd.graphql'), 'query D { a }')), { count: 4, misfits: 1 })
  t.equal(await codeOf(await get('/operations/b')), 'OPERATION_UNAVAILABLE')
  t.equal((await get('/operations/c')).status, 200)
})
