// What a plain start loads, listed in test/start-modules.json: a commit that changes it must change the list.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { startFakeServer } from './support/fake-server.ts'
import { environmentFor, givesData, givesTokens } from './support/gateway.ts'
import { type LoadedModules, RECORD_MODULES, readModules } from './support/loaded-modules.ts'
import { npmStart } from './support/npm-start.ts'
import { postJson } from './support/post-json.ts'

const LIST = new URL('./start-modules.json', import.meta.url)
const ACCEPT = 'node test/start-modules.test.ts --accept'
const END_WITH_PARENT = new URL('./support/end-with-parent.ts', import.meta.url).href

/** Packages that a plain start does not load. */
const NEVER = [
  '@fastify/cors',
  '@fastify/otel',
  '@fastify/rate-limit',
  '@fastify/static',
  '@fastify/swagger',
  '@fastify/swagger-ui',
  '@modelcontextprotocol/sdk',
  '@opentelemetry/core',
  '@opentelemetry/exporter-trace-otlp-proto',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-node',
  'ajv-formats',
  'aws-jwt-verify',
  'ioredis',
  'undici',
  'ws',
  'yaml'
]

/** Starts the service as `npm start` does, sends one query, and returns what was loaded by then. */
async function modulesOfPlainStart(t: Test): Promise<LoadedModules> {
  const cognito = await startFakeServer(givesTokens)
  const hasura = await startFakeServer(givesData)
  const cwd = t.testdir()
  // tap sets the same variable, to load a part of tap into each Node.js process that a test starts; the shell overrides it.
  const [command, [flag = '', script]] = npmStart(cwd)
  const args = [flag, `export NODE_OPTIONS="$HOOKS"; ${script}`]
  const { OPERATIONS_DIR: _, DOCS_ENABLED: __, ...settings } = environmentFor(cognito.url, hasura.url)
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOOKS: `--import=${END_WITH_PARENT} --import=${RECORD_MODULES}`,
    ...settings
  }
  const service = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const exited = once(service, 'close')
  t.teardown(async () => {
    service.kill('SIGKILL')
    await exited
    await Promise.all([cognito.close(), hasura.close()])
  })
  const until = async <T>(stream: Readable | null, find: (output: string) => T | undefined): Promise<T> => {
    let output = ''
    for await (const chunk of stream?.iterator({ destroyOnReturn: false }) ?? []) {
      output += chunk
      const found = find(output)
      if (found !== undefined) return found
    }
    throw new Error(`the service has ended: ${output}`)
  }
  const url = await until(service.stdout, output => /Server listening at (http:[^"]+)/.exec(output)?.[1])
  const response = await postJson(`${url}/execute-graphql`, { query: '{ users { id } }' })
  t.equal(response.status, 200)
  service.kill('SIGURG')
  return until(service.stderr, readModules)
}

/** What is in only one of the lists, one per line. */
function changes(before: LoadedModules, now: LoadedModules): string[] {
  const names = (one: LoadedModules, other: LoadedModules, mark: string) =>
    [...one.files, ...one.builtins].filter(name => ![...other.files, ...other.builtins].includes(name)).map(name => `${mark} ${name}`)
  const packages = [...new Set([...Object.keys(before.packages), ...Object.keys(now.packages)])].sort()
  const counts = packages.flatMap(name => {
    const [was = 0, is = 0] = [before.packages[name], now.packages[name]]
    if (was === is) return []
    return [was === 0 ? `+ ${name}: ${is} modules` : is === 0 ? `- ${name}: ${was} modules` : `${name}: ${was} modules before, ${is} now`]
  })
  return [...names(now, before, '+'), ...names(before, now, '-'), ...counts]
}

t.test('a plain start loads what test/start-modules.json lists, and nothing else', async t => {
  const now = await modulesOfPlainStart(t)
  if (process.argv.includes('--accept')) writeFileSync(LIST, `${JSON.stringify(now, null, 2)}\n`)
  const listed = JSON.parse(readFileSync(LIST, 'utf8')) as LoadedModules
  t.strictSame(changes(listed, now), [], `${now.total} modules instead of ${listed.total}; to accept the change, run ${ACCEPT}`)
  t.strictSame(
    NEVER.filter(name => name in now.packages),
    [],
    'what few ask for is loaded once it is asked for'
  )
})

t.test('every difference from the list is named', async t => {
  const before = { total: 4, files: ['src/a.ts'], packages: { ajv: 2, yaml: 1 }, builtins: ['node:fs'] }
  const now = { total: 5, files: ['src/b.ts'], packages: { ajv: 3, undici: 1 }, builtins: ['node:fs', 'node:http'] }
  t.strictSame(changes(before, before), [])
  t.strictSame(changes(before, now), [
    '+ src/b.ts',
    '+ node:http',
    '- src/a.ts',
    'ajv: 2 modules before, 3 now',
    '+ undici: 1 modules',
    '- yaml: 1 modules'
  ])
})
