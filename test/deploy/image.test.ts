// The bundle that the Dockerfile builds: it does what the sources do, and starts as `npm start` does.
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, globSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parseProjectFile, readProjectFile } from '../support/deploy-files.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { freePort } from '../support/free-port.ts'
import { environmentFor, givesData, givesTokens } from '../support/gateway.ts'
import { postMessage } from '../support/mcp-client.ts'
import { startCollector } from '../support/otlp-collector.ts'
import { postJson } from '../support/post-json.ts'
import { startTied } from '../support/tied-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const dockerfile = readProjectFile('Dockerfile')
const run = promisify(execFile)

/** Reports at the end of a process which package files it has loaded, and whether it has loaded Node's fetch. */
const SAY_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const urls = []
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
  process.on('exit', () => {
    const packages = urls.filter(url => /node_modules.*js$/.test(url))
    const hasFetch = process.moduleLoadList.includes('NativeModule internal/deps/undici/undici')
    console.log('loaded ' + JSON.stringify({ packages, hasFetch }))
  })`)}`

t.test('the image starts the service with the command of npm start', async t => {
  const { scripts } = parseProjectFile<{ scripts: { start: string } }>('package.json')
  const [exec, ...command] = scripts.start.split(' ')
  t.equal(exec, 'exec')
  t.strictSame(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? ''), command)
})

t.test('everything that the build copies is in the build context', async t => {
  const ignored = readProjectFile('.dockerignore')
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '))
  t.ok(sources.length > 5)
  for (const name of sources) t.match(ignored, `\n!${name}\n`, name)
})

// The folder of the application as it is in the image.
const root = t.testdir()
await run(process.execPath, ['deploy/bundle.ts', join(root, 'src')], { cwd: ROOT })
copyFileSync(join(ROOT, 'package.json'), join(root, 'package.json'))
symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))

/** Starts the bundle and both upstreams; `env` is its whole environment. */
async function startBundle(t: Test, overrides: Record<string, string> = {}, args: readonly string[] = []) {
  const cognito = await startFakeServer(givesTokens)
  const hasura = await startFakeServer(givesData)
  const port = String(await freePort())
  const settings = environmentFor(cognito.url, hasura.url, { PORT: port, ...overrides })
  const env = { PATH: process.env.PATH, NODE_DISABLE_COMPILE_CACHE: '1', ...settings }
  const service = startTied(process.execPath, [...args, join(root, 'src/start.js')], env)
  t.teardown(async () => {
    await service.stop()
    await Promise.all([cognito.close(), hasura.close()])
  })
  await service.hasWritten('Server listening at ')
  const url = `http://127.0.0.1:${port}`
  const query = (headers?: Record<string, string>) => postJson(`${url}/execute-graphql`, { query: '{ a }' }, headers)
  return { service, url, env, query }
}

t.test('a plain start of the bundle loads no package file, and not the fetch of Node', async t => {
  const { service, query } = await startBundle(t, {}, ['--import', SAY_LOADED])
  t.equal((await query()).status, 200)
  service.terminate()
  await service.hasWritten('loaded {"packages":[],"hasFetch":false}')
})

t.test('the pages are the same as from the sources: the bundle contains the worker thread and every file that the code reads', async t => {
  const { url } = await startBundle(t, { DOCS_ENABLED: 'true' })
  const page = await (await fetch(`${url}/graphiql`)).text()
  const paths = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path)
  t.ok(paths.length > 2)
  for (const path of paths) t.equal((await fetch(url + path)).status, 200, path)
  const script = paths.find(path => path.endsWith('/start.js'))
  t.equal(await (await fetch(url + script)).text(), readProjectFile('routes/pages/explorer/start-graphiql.js'))
  for (const path of ['/', '/documentation', '/documentation/json', '/documentation/static/swagger-ui-bundle.js'])
    t.equal((await fetch(url + path)).status, 200, path)
})

t.test(
  'optional features run in the bundle: typed stored operations, tools, CORS, the rate limit behind a proxy, and traces with nested spans',
  async t => {
    const collector = await startCollector()
    t.teardown(() => collector.close())
    const folder = t.testdir({
      operations: { 'users.graphql': 'query Users($limit: Int!) { users(limit: $limit) { id } }' },
      'schema.graphql': 'type Query { users(limit: Int): [User!]! } type User { id: ID! }'
    })
    const { service, url, query } = await startBundle(t, {
      OPERATIONS_DIR: join(folder, 'operations'),
      HASURA_SCHEMA_FILE: join(folder, 'schema.graphql'),
      MCP_ENABLED: 'true',
      CORS_ORIGINS: 'https://a.example',
      RATE_LIMIT_PER_MINUTE: '100',
      TRUST_PROXY: '127.0.0.1',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url
    })
    const answer = await query({ origin: 'https://a.example', 'x-forwarded-for': '2001:db8::1' })
    t.equal(answer.status, 200)
    t.match(Object.fromEntries(answer.headers), { 'access-control-allow-origin': 'https://a.example', 'ratelimit-remaining': '99' })
    const tools = await postMessage(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' })
    t.match(await tools.json(), { result: { tools: [{ name: 'users', inputSchema: { properties: { limit: { type: 'integer' } } } }] } })
    t.equal((await fetch(`${url}/operations/users?limit=1`)).status, 200)
    t.equal((await fetch(`${url}/operations/users?limit=a`)).status, 400)
    service.terminate()
    t.equal(await service.exited, 0)
    const request = collector.spans.find(({ name }) => name === 'POST /execute-graphql')
    const call = collector.spans.find(({ name }) => name === 'POST /v1/graphql')
    t.ok(request)
    t.equal(call?.parentId, request?.spanId)
  }
)

t.test('command-line options and the health check work as from the sources', async t => {
  const { env, url } = await startBundle(t)
  const start = (...args: string[]) => run(process.execPath, [join(root, 'src/start.js'), ...args], { cwd: root, env })
  const { version } = parseProjectFile<{ version: string }>('package.json')
  t.equal((await start('--version')).stdout, `${version}\n`)
  t.equal((await start('--check')).stdout, 'ok\n')
  t.match((await start('--doctor')).stdout, /Hasura +ok/)
  t.match((await start('--print-config')).stdout, 'AWS_COGNITO_APP_CLIENT_SECRET=***')
  t.match((await start('--new-key', 'a')).stdout, '"a"')
  t.match((await start('--help')).stdout, 'AWS_COGNITO_DOMAIN')
  const health = [join(root, 'src/healthcheck.js')]
  await t.resolves(run(process.execPath, health, { env: { ...env, PORT: new URL(url).port } }))
  await t.rejects(run(process.execPath, health, { env: { ...env, PORT: '1' } }))
})

t.test('every part of the bundle loads, and its source map points to the sources', async t => {
  const folder = join(root, 'src')
  const parts = globSync('*.js', { cwd: folder }).filter(name => name !== 'start-graphiql.js')
  t.ok(parts.length > 20)
  // These do something when they are loaded: they run the service, or exit.
  const loadable = parts.filter(name => !/^(start|server|healthcheck|pack-assets)\b/.test(name))
  await run(process.execPath, [
    '--input-type=module',
    '-e',
    'for (const url of process.argv.slice(1)) await import(url)',
    ...loadable.map(name => pathToFileURL(join(folder, name)).href)
  ])
  for (const name of parts) {
    const { sources } = JSON.parse(readFileSync(join(folder, `${name}.map`), 'utf8')) as { sources: string[] }
    t.strictSame(
      sources.filter(source => !source.includes('node_modules') && !existsSync(join(folder, source))),
      [],
      name
    )
  }
})
