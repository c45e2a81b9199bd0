// Client generators turn the document into code that compiles, runs and has sensible names.
// They are installed separately: `npm ci --ignore-scripts --prefix test/routes/operations/generators`.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { FILES_OF_EVERY_KIND, schemaHasCome, tellsSchema } from '../../stored-operations/fixtures.ts'
import { gatewayFor } from '../../support/gateway.ts'
import { sandboxFor } from '../../support/sandbox.ts'

const GENERATORS = fileURLToPath(new URL('./generators', import.meta.url))
const EXAMPLES = fileURLToPath(new URL('../../../operations', import.meta.url))
const skip = existsSync(join(GENERATORS, 'node_modules')) ? false : 'the generators are not installed'

async function generate(t: Test, url: string, folder: string): Promise<void> {
  mkdirSync(folder)
  writeFileSync(join(folder, 'openapi.json'), await (await fetch(`${url}/documentation/json`)).text())
  symlinkSync(join(GENERATORS, 'node_modules'), join(folder, 'node_modules'))
  for (const name of ['client.ts', 'tsconfig.json']) cpSync(join(GENERATORS, name), join(folder, name))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  run(t, folder, 'openapi-typescript openapi.json -o api.ts')
  run(t, folder, 'openapi-ts -i openapi.json -o hey-api')
  run(t, folder, 'orval --input openapi.json --output orval/api.ts --client fetch')
}

/** Runs one of the programs; the shell removes the hooks that the test runner adds to a child's NODE_OPTIONS. */
function run(t: Test, cwd: string, command: string): void {
  const line = `unset NODE_OPTIONS; exec node_modules/.bin/${command}`
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8', cwd, env: { ...process.env, CI: '1' } })
  t.equal(status, 0, `${command}\n${status === 0 ? '' : stdout + stderr}`)
}

const declared = (folder: string, pattern: string): string[] =>
  globSync(pattern, { cwd: folder }).flatMap(path =>
    [...readFileSync(join(folder, path), 'utf8').matchAll(/^export (?:type|interface|const) (\w+)/gm)].map(([, name = '']) => name)
  )

t.test('the generated code compiles, names each answer once, and runs', { skip }, async t => {
  const sandbox = await sandboxFor(t, { DOCS_ENABLED: 'true', OPERATIONS_DIR: EXAMPLES })
  await schemaHasCome(sandbox)
  const folder = join(t.testdir({}), 'client')
  await generate(t, sandbox.url, folder)
  run(t, folder, 'tsc -p .')
  for (const pattern of ['hey-api/types.gen.ts', 'orval/api.ts']) {
    const names = declared(folder, pattern)
    t.ok(names.length > 20)
    for (const name of ['FetchSampleDataAnswer', 'FindUsersAnswer', 'RenameUserAnswer', 'GraphqlAnswer'])
      t.equal(names.filter(found => found === name).length, 1, `${name} in ${pattern}`)
    t.strictSame(
      names.filter(name => /\d+(One|Two|Three)/.test(name)),
      [],
      pattern
    )
  }
  const { run: callAll } = (await import(pathToFileURL(join(folder, 'client.ts')).href)) as { run(url: string): Promise<unknown[]> }
  t.strictSame(await callAll(sandbox.url), [[1], [2], [2]])
})

t.test('operations of every kind with clashing names compile too', { skip }, async t => {
  const root = t.testdir({ operations: FILES_OF_EVERY_KIND })
  const settings = { DOCS_ENABLED: 'true', OPERATIONS_DIR: join(root, 'operations') }
  const gateway = await gatewayFor(t, { hasura: tellsSchema(), settings })
  await schemaHasCome(gateway)
  const folder = join(root, 'client')
  await generate(t, gateway.url, folder)
  // The program uses other operations.
  writeFileSync(join(folder, 'client.ts'), "export type { paths } from './api.ts'\n")
  run(t, folder, 'tsc -p .')
})
