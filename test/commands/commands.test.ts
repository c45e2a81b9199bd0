// The command-line options, each in a separate process.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readCommandLine, UsageError } from '../../src/commands/command-line.ts'
import { newKey } from '../../src/commands/new-key.ts'
import { SettingsSchema } from '../../src/settings.ts'
import { serviceVersion } from '../../src/version.ts'
import { fakeServerFor } from '../support/fake-server.ts'
import { environmentFor, givesData, givesTokens } from '../support/gateway.ts'
import { startService } from '../support/service-process.ts'

const GOOD = environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1')

async function run(t: Test, args: string[], settings: Record<string, string> = {}, cwd = t.testdir()) {
  const service = startService(settings, cwd, args)
  const code = await service.exited
  return { code, output: service.output() }
}

t.test('unknown options: exit code 2 and the list', async t => {
  const { code, output } = await run(t, ['--nope'], GOOD)
  t.equal(code, 2)
  for (const option of ['--help', '--version', '--check', '--print-config', '--doctor', '--new-key <name>']) t.match(output, option)
  for (const args of [
    ['serve'],
    ['-h'],
    ['--check', '--doctor'],
    ['--check=no'],
    ['--new-key'],
    ['--new-key', 'a b'],
    ['--new-key='],
    ['--']
  ])
    t.throws(() => readCommandLine(args), UsageError, args.join(' '))
  t.equal(readCommandLine([]), undefined, 'nothing starts the service')
})

t.test('--help and --version need no settings; --help lists every setting with its meaning', async t => {
  const help = await run(t, ['--help'])
  t.equal(help.code, 0)
  for (const [name, { description }] of Object.entries(SettingsSchema.properties)) {
    t.match(help.output, `\n  ${name}`)
    t.ok(help.output.includes(String(description)), name)
  }
  t.match(help.output, 'METRICS_PORT (default 9464)')
  t.strictSame(await run(t, ['--version']), { code: 0, output: `${serviceVersion}\n` })
})

t.test('--new-key: a key of 32 bytes, and a valid entry for the keys file', async t => {
  const { code, output } = await run(t, ['--new-key', 'web'])
  t.equal(code, 0)
  const key = /^[\w-]{43}$/m.exec(output)?.[0] ?? ''
  t.equal(Buffer.from(key, 'base64url').length, 32)
  const entry = JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? '')
  t.strictSame(entry, { name: 'web', keySha256: [createHash('sha256').update(key).digest('hex')] })
  const path = join(t.testdir({ 'callers.json': JSON.stringify({ callers: [entry] }) }), 'callers.json')
  t.strictSame(await run(t, ['--check'], { ...GOOD, CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path }, '/'), { code: 0, output: 'ok\n' })
  t.not(newKey('web'), newKey('web'), 'each key is another')
})

t.test('--doctor: exit code 0 or 1', async t => {
  const cognito = await fakeServerFor(t, givesTokens)
  const hasura = await fakeServerFor(t, givesData)
  t.match(await run(t, ['--doctor'], environmentFor(cognito.url, hasura.url)), { code: 0, output: /Hasura +ok/ })
  t.match(await run(t, ['--doctor'], GOOD), { code: 1, output: /Cognito +FAILED/ })
})

t.test('--check: all errors at once, in operations too if a setting is invalid, and no value', async t => {
  const folder = t.testdir({ 'a.graphql': '{', 'b.graphql': 'query B { b }', 'README.md': '' })
  const { code, output } = await run(t, ['--check'], { ...GOOD, PORT: 's3cret', LOG_LEVEL: 's3cret', OPERATIONS_DIR: folder }, '/')
  t.equal(code, 1)
  t.match(output, /^PORT: must be/m)
  t.match(output, /^LOG_LEVEL: must be/m)
  t.match(output, /a\.graphql:1: Syntax Error/)
  t.match(output, /^warning: .*README\.md/m)
  t.notMatch(output, 's3cret')
  t.notMatch(output, /^ok$/m)
})

t.test('--check: operations against the schema file', async t => {
  const folder = t.testdir({
    operations: { 'a.graphql': 'query A { gone }' },
    'schema.graphqls': 'type Query { a: Int }',
    bad: 'type Query {'
  })
  const settings = { ...GOOD, OPERATIONS_DIR: join(folder, 'operations') }
  const misfit = await run(t, ['--check'], { ...settings, HASURA_SCHEMA_FILE: join(folder, 'schema.graphqls') }, '/')
  t.match(misfit, { code: 1, output: /a\.graphql:1: .*"gone"/ })
  const nonsense = await run(t, ['--check'], { ...settings, HASURA_SCHEMA_FILE: join(folder, 'bad') }, '/')
  t.match(nonsense, { code: 1, output: /^HASURA_SCHEMA_FILE: the schema is invalid/m })
  t.strictSame(await run(t, ['--check'], settings, '/'), { code: 0, output: 'ok\n' })
})

t.test('--print-config: each setting with its origin, no secret and no user info', async t => {
  const folder = t.testdir()
  writeFileSync(join(folder, '.env'), 'PORT=4000\nLOG_LEVEL=warn\nAWS_COGNITO_APP_CLIENT_SECRET_FALLBACK=s3cret-2\n')
  const { PORT: _, ...good } = GOOD
  const settings = {
    ...good,
    LOG_LEVEL: 'error',
    AWS_COGNITO_APP_CLIENT_SECRET: 's3cret-1',
    AWS_COGNITO_SCOPES: 'a/read a/write',
    RATE_LIMIT_REDIS_URL: 'redis://user:s3cret-3@localhost:6379/1?password=s3cret-4'
  }
  const { code, output } = await run(t, ['--print-config'], settings, folder)
  t.equal(code, 0)
  const lines = output.trimEnd().split('\n')
  t.strictSame(
    lines.map(line => line.split('=')[0]),
    Object.keys(SettingsSchema.properties)
  )
  for (const line of [
    'PORT=4000 # .env',
    'LOG_LEVEL=error # environment',
    'GRAPHQL_TIMEOUT_MS=30000 # default',
    'CALLER_KEYS_FILE= # default',
    'AWS_COGNITO_APP_CLIENT_SECRET=*** # environment',
    'AWS_COGNITO_APP_CLIENT_SECRET_FALLBACK=*** # .env',
    'AWS_COGNITO_SCOPES="a/read a/write" # environment',
    'RATE_LIMIT_REDIS_URL=redis://localhost:6379/1?password=*** # environment'
  ])
    t.ok(lines.includes(line), line)
  t.notMatch(output, 's3cret')
  t.match(await run(t, ['--print-config'], {}), { code: 1, output: /AWS_COGNITO_DOMAIN: is missing/ })
})
