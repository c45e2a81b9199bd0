// Imports go in one direction: server, app, plugins and routes, cores, errors. The table lists what is allowed; anything else fails.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

/** The project files and packages that a part may import, besides its own files and Node's modules; `*` means any package. */
type Allowed = { files: readonly string[]; packages: readonly string[] }

/** What every core may use. */
const BASE = ['src/errors.ts', 'src/json.ts', 'src/clock.ts']

const CORES: Record<string, Allowed> = {
  'src/cognito/': { files: [...BASE, 'src/http1/'], packages: [] },
  'src/graphql/': { files: BASE, packages: ['graphql', 'lru-cache', 'negotiator'] },
  'src/http1/': { files: BASE, packages: [] },
  'src/hasura/': { files: [...BASE, 'src/http1/'], packages: [] },
  'src/callers/': { files: BASE, packages: ['@sinclair/typebox', 'aws-jwt-verify', 'lru-cache'] },
  'src/admission/': { files: BASE, packages: [] },
  'src/stored-operations/': { files: [...BASE, 'src/graphql/'], packages: ['graphql'] },
  'src/subscriptions/': { files: BASE, packages: ['graphql', 'ws'] },
  'src/event-stream/': { files: [...BASE, 'src/subscriptions/'], packages: [] },
  'src/persisted-documents/': { files: BASE, packages: ['lru-cache'] },
  'src/answer-cache/': { files: [...BASE, 'src/redis.ts'], packages: ['lru-cache'] }
}

/** What is between the cores and Fastify: settings, metrics and the like. */
const AROUND = [
  'src/settings.ts',
  'src/settings-warnings.ts',
  'src/metrics.ts',
  'src/request-id.ts',
  'src/version.ts',
  'src/proxy.ts',
  'src/redis.ts',
  'src/schema-compilers.ts',
  'src/cognito-exchange.ts'
]
const BELOW = [...BASE, ...AROUND, ...Object.keys(CORES)]

const PARTS: Record<string, Allowed> = {
  ...CORES,
  'src/errors.ts': { files: [], packages: [] },
  'src/json.ts': { files: [], packages: [] },
  'src/clock.ts': { files: [], packages: [] },
  'src/request-id.ts': { files: [], packages: [] },
  'src/version.ts': { files: [], packages: [] },
  'src/metrics.ts': { files: ['src/cognito/'], packages: ['prom-client'] },
  'src/proxy.ts': { files: [], packages: [] },
  'src/redis.ts': { files: [], packages: ['ioredis'] },
  'src/schema-compilers.ts': { files: [], packages: ['ajv'] },
  'src/setting-kinds.ts': { files: ['src/json.ts', 'src/proxy.ts'], packages: ['@sinclair/typebox'] },
  'src/settings-checks.ts': { files: ['src/callers/', 'src/persisted-documents/', 'src/settings.ts'], packages: [] },
  'src/settings.ts': {
    files: ['src/clock.ts', 'src/schema-compilers.ts', 'src/setting-kinds.ts', 'src/settings-checks.ts'],
    packages: ['@fastify/env', '@sinclair/typebox', 'ajv', 'fastify']
  },
  'src/cognito-exchange.ts': { files: ['src/cognito/', 'src/proxy.ts', 'src/settings.ts'], packages: [] },
  'src/settings-warnings.ts': { files: ['src/settings.ts'], packages: [] },
  'src/healthcheck.ts': { files: [], packages: [] },
  'src/commands/': { files: BELOW, packages: [] },
  'plugins/': { files: [...BELOW, 'src/settings-checks.ts'], packages: ['*'] },
  'routes/': { files: BELOW, packages: ['*'] },
  'src/app.ts': { files: [...BELOW, 'plugins/', 'routes/'], packages: ['*'] },
  'src/server.ts': { files: [...BELOW, 'src/app.ts', 'src/commands/'], packages: ['*'] },
  'src/start.js': { files: ['src/server.ts'], packages: [] }
}

/** The row of the table for a file. */
const partOf = (path: string) => Object.keys(PARTS).find(part => (part.endsWith('/') ? path.startsWith(part) : path === part))
/** Whether two files belong to the same part. Plugins reach each other through decorators, so each plugin is its own part. */
const isOwn = (path: string, target: string) => {
  const part = partOf(path)
  return part !== undefined && part !== 'plugins/' && part === partOf(target)
}

const IMPORT = /\b(?:from|import|require)\s*\(?\s*['"]([\w.@][^'"\s]*)['"]/g
const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

/** The imports of a source text that the table does not list. */
function wrongImports(path: string, source: string): string[] {
  const allowed = PARTS[partOf(path) ?? '']
  const isAllowed = (name: string) => {
    if (name.startsWith('node:')) return true
    if (!name.startsWith('.')) return allowed?.packages.some(listed => listed === '*' || listed === packageOf(name))
    const target = join(dirname(path), name)
    return isOwn(path, target) || allowed?.files.some(listed => (listed.endsWith('/') ? target.startsWith(listed) : target === listed))
  }
  return [...source.matchAll(IMPORT)].map(([, name = '']) => name).filter(name => !isAllowed(name))
}

t.test('every file in src, plugins and routes imports only what its part may import', async t => {
  const root = new URL('..', import.meta.url)
  const paths = globSync('{src,plugins,routes}/**/*.{ts,js}', { cwd: root })
  t.ok(paths.length > 50)
  t.strictSame(
    paths.filter(path => partOf(path) === undefined),
    [],
    'every file belongs to a part of the table'
  )
  const wrong = paths.flatMap(path => wrongImports(path, readFileSync(new URL(path, root), 'utf8')).map(name => `${path} imports ${name}`))
  t.strictSame(wrong, [])
})

t.test('every import that the table does not list is refused, in each form of importing', async t => {
  const wrong: [from: string, to: string][] = [
    ...Object.keys(CORES).flatMap(core =>
      ['fastify', 'fastify-plugin', '@fastify/sensible', 'pino'].map((name): [string, string] => [core, name])
    ),
    ...Object.keys(CORES).flatMap(core =>
      ['src/settings.ts', 'src/app.ts', 'src/metrics.ts', 'src/proxy.ts', 'plugins/x.ts', 'routes/x.ts'].map((to): [string, string] => [
        core,
        to
      ])
    ),
    ...Object.entries(CORES).flatMap(([from, { files }]) =>
      Object.keys(CORES)
        .filter(to => to !== from && !files.includes(to))
        .map((to): [string, string] => [from, `${to}x.ts`])
    ),
    ['plugins/', 'plugins/y.ts'],
    ['plugins/', 'routes/x.ts'],
    ['plugins/', 'src/app.ts'],
    ['routes/', 'plugins/x.ts'],
    ['routes/', 'src/app.ts'],
    ['routes/', 'src/server.ts'],
    ['src/commands/', 'plugins/x.ts'],
    ['src/commands/', 'src/server.ts'],
    ['src/errors.ts', 'src/json.ts'],
    ['src/errors.ts', 'src/cognito/x.ts'],
    ['src/settings.ts', 'src/app.ts'],
    ['src/settings.ts', 'src/cognito/x.ts'],
    ['src/app.ts', 'src/server.ts']
  ]
  t.ok(wrong.length > 100)
  const passed = wrong.filter(([from, to]) => importsOf(from, to).length < WAYS.length)
  t.strictSame(passed, [])
})

t.test('every import that the table lists passes', async t => {
  const listed = Object.entries(PARTS).flatMap(([from, { files, packages }]) =>
    [...files.map(fileOf), ...packages.filter(name => name !== '*'), 'node:fs'].map(to => [from, to] as const)
  )
  t.strictSame(
    listed.filter(([from, to]) => importsOf(from, to).length > 0),
    []
  )
})

const WAYS = [
  (name: string) => `import { a } from '${name}'`,
  (name: string) => `import type { A } from '${name}'`,
  (name: string) => `import {\n  a,\n  b\n} from '${name}'`,
  (name: string) => `import '${name}'`,
  (name: string) => `export * from '${name}'`,
  (name: string) => `const a = await import('${name}')`,
  (name: string) => `type A = import('${name}').A`
]

const fileOf = (part: string) => (part.endsWith('/') ? `${part}x.ts` : part)
/** The import specifier of a project file in another one; packages stay unchanged. */
const nameFor = (from: string, to: string) => {
  if (!/^(src|plugins|routes)\//.test(to)) return to
  return '../'.repeat(fileOf(from).split('/').length - 1) + to
}
const importsOf = (from: string, to: string) => wrongImports(fileOf(from), WAYS.map(way => way(nameFor(from, to))).join('\n'))
