// What the Dockerfile makes of the sources: JavaScript that runs, started as `npm start` starts the sources.
import { execFile } from 'node:child_process'
import { copyFileSync, globSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parseProjectFile, readProjectFile } from '../support/deploy-files.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { freePort } from '../support/free-port.ts'
import { environmentFor, givesData, givesTokens } from '../support/gateway.ts'
import { startTied } from '../support/tied-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const dockerfile = readProjectFile('Dockerfile')

t.test('the image starts the service with the command of npm start', async t => {
  const { scripts } = parseProjectFile<{ scripts: { start: string } }>('package.json')
  const [exec, ...command] = scripts.start.split(' ')
  t.equal(exec, 'exec')
  t.strictSame(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? ''), command)
})

t.test('everything that the image is built of is in its build context', async t => {
  const ignored = readProjectFile('.dockerignore')
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '))
  t.ok(sources.length > 5)
  for (const name of sources) t.match(ignored, `\n!${name}\n`, name)
})

t.test('without its types the service runs, a worker thread and every file that is read beside the code included', async t => {
  const root = t.testdir()
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--outDir', root], { cwd: ROOT })
  copyFileSync(join(ROOT, 'routes/pages/explorer/start.js'), join(root, 'routes/pages/explorer/start.js'))
  copyFileSync(join(ROOT, 'package.json'), join(root, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  const files = globSync('{src,plugins,routes}/**/*', { cwd: root, withFileTypes: true }).filter(file => file.isFile())
  t.ok(files.length > 100)
  const namesTypeScript = files.filter(({ parentPath, name }) => /\.ts['"`]/.test(readFileSync(join(parentPath, name), 'utf8')))
  t.strictSame(namesTypeScript, [])

  const cognito = await startFakeServer(givesTokens)
  const hasura = await startFakeServer(givesData)
  const port = String(await freePort())
  const settings = environmentFor(cognito.url, hasura.url, { PORT: port, MCP_ENABLED: 'true', DOCS_ENABLED: 'true' })
  const env = { PATH: process.env.PATH, NODE_DISABLE_COMPILE_CACHE: '1', ...settings }
  const service = startTied(process.execPath, [join(root, 'src/start.js')], env)
  t.teardown(async () => {
    await service.stop()
    await Promise.all([cognito.close(), hasura.close()])
  })
  await service.hasWritten('Server listening at ')
  const url = `http://127.0.0.1:${port}`
  const headers = { 'content-type': 'application/json' }
  t.equal((await fetch(`${url}/execute-graphql`, { method: 'POST', headers, body: '{"query":"{ a }"}' })).status, 200)
  const page = await (await fetch(`${url}/graphiql`)).text()
  for (const [, path] of page.matchAll(/(?:src|href)="(\/[^"]+)"/g)) t.equal((await fetch(url + path)).status, 200, String(path))
  for (const path of ['/', '/documentation', '/documentation/json']) t.equal((await fetch(url + path)).status, 200, path)
  const health = [join(root, 'src/healthcheck.js')]
  await t.resolves(promisify(execFile)(process.execPath, health, { env }))
  await t.rejects(promisify(execFile)(process.execPath, health, { env: { ...env, PORT: '1' } }))
})
