// The process from start to exit.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fakeServerFor } from './support/fake-server.ts'
import { freePort } from './support/free-port.ts'
import { environmentFor, givesData, givesTokens } from './support/gateway.ts'
import { serviceFor, startService } from './support/service-process.ts'
import { startTied } from './support/tied-process.ts'

t.test('with bad settings: exit code 1, all of them named, and no value shown', async t => {
  const service = startService({ PORT: 's3cret', GRAPHQL_ENDPOINT: 's3cret' }, t.testdir())
  t.equal(await service.exited, 1)
  for (const name of ['PORT', 'GRAPHQL_ENDPOINT', 'AWS_COGNITO_DOMAIN', 'AWS_COGNITO_APP_CLIENT_ID', 'AWS_COGNITO_APP_CLIENT_SECRET']) {
    t.match(service.output(), `${name}:`)
  }
  t.notMatch(service.output(), 's3cret')
})

for (const setting of ['PORT', 'METRICS_PORT']) {
  t.test(`with a port in use: exit code 1 and one line that names ${setting}`, async t => {
    const taken = await fakeServerFor(t, () => {})
    const settings = environmentFor(taken.url, taken.url, { [setting]: new URL(taken.url).port })
    const service = startService(settings, t.testdir())
    t.equal(await service.exited, 1)
    const line = service
      .output()
      .split('\n')
      .find(text => text.includes('could not listen'))
    t.match(JSON.parse(line ?? ''), {
      level: 60,
      setting,
      msg: `could not listen: another process already listens on the port of ${setting}`
    })
    t.notMatch(service.output(), / at \w+.*\.[jt]s:\d+/, 'no stack')
  })
}

t.test('names that look like settings but have no effect cause one warning that names them, without their values', async t => {
  const service = await serviceFor(t, { GRAPHQ_TIMEOUT_MS: 's3cret', CALLER_KEYS_FILE: 's3cret' })
  const warnings = service
    .output()
    .split('\n')
    .filter(line => line.includes('have no effect'))
  t.equal(warnings.length, 1)
  t.match(JSON.parse(warnings[0] ?? ''), {
    level: 40,
    settings: ['GRAPHQ_TIMEOUT_MS (did you mean GRAPHQL_TIMEOUT_MS?)', 'CALLER_KEYS_FILE (CALLER_AUTH has no api-key)']
  })
  t.notMatch(service.output(), 's3cret')
})

t.test('settings are read from a .env file', async t => {
  const cognito = await fakeServerFor(t, givesTokens)
  const folder = t.testdir()
  const lines = Object.entries(environmentFor(cognito.url, cognito.url)).map(([name, value]) => `${name}=${value}`)
  writeFileSync(join(folder, '.env'), lines.join('\n'))
  const service = startService({}, folder)
  t.match(await (await fetch(`${await service.url()}/health/live`)).json(), { status: 'live' })
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 0)
})

t.test('the service starts while Cognito is down', async t => {
  const hasura = await fakeServerFor(t, givesData)
  const service = startService(environmentFor('http://127.0.0.1:1', hasura.url), t.testdir())
  t.equal((await fetch(`${await service.url()}/health/live`)).status, 200)
  t.equal((await fetch(`${await service.url()}/health/ready`)).status, 503)
  service.child.kill('SIGINT')
  t.equal(await service.exited, 0)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal}: requests in flight finish, exit code 0`, async t => {
    let finish = () => {}
    const service = await serviceFor(t, {}, (response, request, count) => {
      finish = () => givesData(response, request, count)
    })
    const inFlight = service.post()
    await service.hasura.hasReceived(1)
    service.child.kill(signal)
    await service.hasWritten('stopping')
    t.match(await (await service.post()).text(), 'SHUTTING_DOWN')
    finish()
    t.equal((await inFlight).status, 200)
    t.equal(await service.exited, 0)
  })
}

t.test('requests that exceed the grace period are cut, exit code 1', async t => {
  const service = await serviceFor(t, { SHUTDOWN_GRACE_MS: '50' }, () => {})
  const cut = t.rejects(service.post())
  await service.hasura.hasReceived(1)
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 1)
  await cut
})

t.test('a second signal stops the service at once, exit code 1', async t => {
  const service = await serviceFor(t, { SHUTDOWN_GRACE_MS: '60000' }, () => {})
  const cut = t.rejects(service.post())
  await service.hasura.hasReceived(1)
  service.child.kill('SIGTERM')
  await service.hasWritten('stopping')
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 1)
  await cut
})

t.test('with nothing in flight and no grace period: exit code 0, and no log line is lost', async t => {
  const service = await serviceFor(t, { SHUTDOWN_GRACE_MS: '0' })
  for (let n = 0; n < 10; n++) t.equal((await service.post()).status, 200)
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 0)
  t.equal(service.output().split('"msg":"request"').length - 1, 10)
})

for (const script of ['start', 'sandbox']) {
  t.test(`SIGTERM to \`npm run ${script}\` ends everything that it started`, async t => {
    const ports: Record<string, string> = {}
    for (const name of ['PORT', 'METRICS_PORT', 'SANDBOX_COGNITO_PORT', 'SANDBOX_HASURA_PORT']) ports[name] = String(await freePort())
    const settings = script === 'start' ? environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1', ports) : ports
    const npm = startTied('npm', ['run', script], { PATH: process.env.PATH, npm_config_update_notifier: 'false', ...settings })
    t.teardown(() => npm.stop())
    await npm.hasWritten('Server listening at ')
    npm.terminate()
    await npm.exited
    for (const [name, port] of Object.entries(ports)) await t.rejects(fetch(`http://127.0.0.1:${port}/`), name)
  })
}
