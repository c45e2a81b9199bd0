// The entry point of the process and its cache of compiled code, in a separate clone, whatever the state of the cache.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { serviceVersion } from '../src/version.ts'
import { environmentFor } from './support/gateway.ts'
import { startTied } from './support/tied-process.ts'
import { until } from './support/until.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** Reports at the end of a process whether Node's type stripper was loaded, as it is for a TypeScript file that is not in the cache. */
const SAY_STRIPPER = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => console.error(process.moduleLoadList.some(name => name.includes('amaro')) ? 'stripped' : 'cached'))"
)}`

/** Node 22 caches compiled code, but not the stripped TypeScript. */
const CACHED = Number.parseInt(process.versions.node, 10) < 24 ? 'stripped' : 'cached'

/** A clone with packages but without a cache; its root. */
function cloneFor(t: Test): string {
  const root = t.testdir()
  for (const folder of ['src', 'plugins', 'routes']) cpSync(join(ROOT, folder), join(root, folder), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'))
  for (const name of globSync(['*', '@*/*'], { cwd: join(ROOT, 'node_modules'), exclude: name => /^@[^/]+$|^\./.test(name) })) {
    mkdirSync(dirname(join(root, 'node_modules', name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name))
  }
  return root
}

const cacheOf = (root: string) => join(root, 'node_modules/.cache/compiled')
const filesIn = (folder: string) => globSync('*/*', { cwd: folder }).map(name => join(folder, name))

/** Runs the entry point to its end: it must print the version, and otherwise only whether TypeScript was stripped, which this returns. */
async function runVersion(t: Test, root: string, env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, ['--import', SAY_STRIPPER, join(root, 'src/start.js'), '--version'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', chunk => (output += chunk))
  child.stderr.setEncoding('utf8').on('data', chunk => (errors += chunk))
  const [code] = await once(child, 'close')
  t.equal(code, 0, errors)
  t.equal(output, `${serviceVersion}\n`)
  return errors.trim()
}

t.test('the second start reads everything from the cache, so nothing loads the type stripper', async t => {
  const root = cloneFor(t)
  t.equal(await runVersion(t, root), 'stripped')
  t.ok(filesIn(cacheOf(root)).length > 10)
  t.equal(await runVersion(t, root), CACHED)
})

t.test('the cache is written while the service runs, in case it is killed', async t => {
  const root = cloneFor(t)
  const settings = environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1')
  const service = startTied(process.execPath, [join(root, 'src/start.js')], { PATH: process.env.PATH, ...settings })
  t.teardown(() => service.stop())
  await service.hasWritten('Server listening at ')
  await until(() => filesIn(cacheOf(root)).length > 100)
  service.terminate()
  t.equal(await service.exited, 0)
})

t.test('an operator can choose another folder, or none', async t => {
  const root = cloneFor(t)
  const elsewhere = join(root, 'elsewhere')
  await runVersion(t, root, { NODE_COMPILE_CACHE: elsewhere })
  t.ok(filesIn(elsewhere).length > 0)
  await runVersion(t, root, { NODE_DISABLE_COMPILE_CACHE: '1' })
  t.notOk(existsSync(cacheOf(root)))
})

t.test('a cache that is corrupt, truncated or outdated does not prevent the start', async t => {
  const root = cloneFor(t)
  await runVersion(t, root)
  const files = filesIn(cacheOf(root))
  t.ok(files.length > 10)
  // In turn: no cache at all, a truncated one, and one whose end is overwritten.
  for (const [at, path] of files.entries()) {
    const bytes = readFileSync(path)
    const half = Math.floor(bytes.length / 2)
    if (at % 3 === 0) writeFileSync(path, 'no cache')
    else if (at % 3 === 1) truncateSync(path, half)
    else writeFileSync(path, bytes.fill(0xff, half))
  }
  t.equal(await runVersion(t, root), 'stripped')
  writeFileSync(join(root, 'src/version.ts'), `${readFileSync(join(root, 'src/version.ts'), 'utf8')}\n// Changed.\n`)
  t.equal(await runVersion(t, root), 'stripped', 'a changed file is compiled again')
  t.equal(await runVersion(t, root), CACHED)
})

t.test('a cache that cannot be written does not prevent the start', async t => {
  const root = cloneFor(t)
  writeFileSync(join(root, 'node_modules/.cache'), '')
  t.equal(await runVersion(t, root), 'stripped')
  t.equal(await runVersion(t, root), 'stripped')
})
