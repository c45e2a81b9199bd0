// The container's health check: its exit code, and that it loads nothing unnecessary.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type Answer, fakeServerFor } from './support/fake-server.ts'
import { freePort } from './support/free-port.ts'

const CHECK = fileURLToPath(new URL('../src/healthcheck.ts', import.meta.url))
/** Reports at exit whether Node's fetch was loaded. */
const TELL = `data:text/javascript,process.on('exit',()=>console.log(process.moduleLoadList.includes('NativeModule internal/deps/undici/undici')))`

/** Runs the check by itself; without tap's hooks. */
async function check(settings: Record<string, string>, args: readonly string[] = []) {
  const child = spawn(process.execPath, [...args, CHECK], { env: settings, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  return { code, output }
}

async function serviceFor(t: Test, answer: Answer) {
  const server = await fakeServerFor(t, answer)
  return { server, port: new URL(server.url).port }
}

const status =
  (code: number): Answer =>
  response =>
    response.writeHead(code, { location: '/' }).end()

t.test('without a listener, the exit code is 1', async t => {
  t.match(await check({ PORT: String(await freePort()) }), { code: 1 })
})

for (const code of [302, 404, 503])
  t.test(`an answer of ${code} gives exit code 1`, async t => {
    const { server, port } = await serviceFor(t, status(code))
    t.match(await check({ PORT: port }), { code: 1 })
    t.equal(server.received.length, 1)
  })

t.test('without an answer, the exit code is 1, before the container gives up', async t => {
  const { server, port } = await serviceFor(t, () => {})
  t.match(await check({ PORT: port }), { code: 1 })
  t.equal(server.received.length, 1)
})

for (const HOST of [undefined, '127.0.0.1', '0.0.0.0'])
  t.test(`200 to HOST ${HOST}: 0`, async t => {
    const { server, port } = await serviceFor(t, status(200))
    t.match(await check({ PORT: port, ...(HOST && { HOST }) }), { code: 0 })
    t.match(server.received, [{ method: 'GET', url: '/health/live', headers: { host: `127.0.0.1:${port}` } }])
  })

for (const HOST of ['::', '::1'])
  t.test(`200 to HOST ${HOST}: 0`, async t => {
    const hosts: (string | undefined)[] = []
    const server = createServer(({ headers }, response) => {
      hosts.push(headers.host)
      response.end()
    })
    const port = await freePort()
    server.listen(port, '::1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    t.match(await check({ PORT: String(port), HOST }), { code: 0 })
    t.strictSame(hosts, [`[::1]:${port}`])
  })

t.test("Node's fetch is not loaded", async t => {
  const { port } = await serviceFor(t, status(200))
  t.strictSame(await check({ PORT: port }, ['--import', TELL]), { code: 0, output: 'false\n' })
})
