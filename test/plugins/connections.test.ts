// Callers that waste connections: too many, too slow to send, too slow to read.
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import Fastify, { type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import connections from '../../plugins/connections.ts'
import errors from '../../plugins/errors.ts'
import requestEnd from '../../plugins/request-end.ts'
import { loadSettings } from '../../src/settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { environmentFor } from '../support/gateway.ts'

const LARGE = 'x'.repeat(30_000_000)

/** What `/held` waits for; a test sets it. */
let hold: () => Promise<string> = async () => 'done'

/** An app with only the connections plugin and a fake clock. */
async function appFor(t: Test, environment: Record<string, string> = {}) {
  const clock = new FakeClock()
  const settings = await loadSettings(environmentFor('http://127.0.0.1:1', 'http://127.0.0.1:1', environment))
  const app = Fastify()
  const ended: FastifyRequest[] = []
  await app.register(fp(async app => void app.decorate('config', settings), { name: 'config' }))
  await app.register(requestEnd)
  await app.register(errors)
  await app.register(connections, { clock })
  app.onRequestEnd(({ request }) => ended.push(request))
  app.post('/body', async () => 'read')
  app.get('/large', async () => LARGE)
  app.get('/held', () => hold())
  app.get('/stream', async request => {
    request.mayReadSlowly = true
    return LARGE
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const caller = async () => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  /** Advances second by second until the caller is cut off, or this many seconds have passed. */
  const isCutWithin = async (socket: Socket, seconds: number) => {
    let isClosed = false
    socket.once('close', () => {
      isClosed = true
    })
    for (let second = 0; second < seconds && !isClosed; second++) await clock.advance(1_000)
    // The other side notices the cut a little later.
    for (let turn = 0; turn < 1_000 && !isClosed; turn++) await clock.advance(0)
    return isClosed
  }
  return { clock, caller, isCutWithin, ended }
}

t.test('beyond MAX_CONNECTIONS, a further connection is closed', async t => {
  const { caller } = await appFor(t, { MAX_CONNECTIONS: '2' })
  const [first] = [await caller(), await caller()]
  const third = await caller()
  third.resume()
  await once(third, 'close')
  first.write('GET /nope HTTP/1.1\r\nhost: localhost\r\n\r\n')
  t.match(String((await once(first, 'data'))[0]), /^HTTP\/1\.1 404/)
})

t.test('a caller whose head trickles is cut off', async t => {
  const { caller, isCutWithin } = await appFor(t)
  const socket = await caller()
  socket.write('GET / HTTP/1.1\r\nhost: local')
  t.ok(await isCutWithin(socket, 60))
})

t.test('a caller whose body trickles is cut off, and the log says why', async t => {
  const { caller, isCutWithin, ended } = await appFor(t)
  const socket = await caller()
  socket.write('POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{')
  t.ok(await isCutWithin(socket, 60))
  t.match(ended, [{ fault: 'the request arrived too slowly' }])
})

t.test('a caller that does not read its answer is cut off, and the log says why', async t => {
  const { clock, caller, ended } = await appFor(t)
  const socket = await caller()
  socket.pause()
  socket.write('GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n')
  while (ended.length === 0) await clock.advance(1_000)
  t.match(ended, [{ fault: 'the answer was read too slowly' }])
})

t.test('only a limited number of pipelined requests are in progress; the rest are read when those are answered', async t => {
  const { caller, clock } = await appFor(t)
  const waiting: (() => void)[] = []
  const socket = await caller()
  let received = ''
  socket.on('data', chunk => (received += chunk))
  const answered = () => received.split('HTTP/1.1 200').length - 1
  hold = () => new Promise(resolve => waiting.push(() => resolve('done')))
  socket.write('GET /held HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(20_000))
  while (waiting.length < 16) await clock.advance(0)
  for (let turn = 0; turn < 200; turn++) await clock.advance(0)
  t.ok(waiting.length < 3_000, `${waiting.length} of 20,000 are under way: what was read with the first ones`)
  while (answered() < 20_000) {
    for (const answer of waiting.splice(0)) answer()
    await clock.advance(0)
  }
})

t.test('a caller is not cut off for sending nothing while its requests are held back', async t => {
  const { caller, clock, isCutWithin } = await appFor(t)
  const waiting: (() => void)[] = []
  hold = () => new Promise(resolve => waiting.push(() => resolve('done')))
  const socket = await caller()
  const head = 'POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{'
  socket.write('GET /held HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(15) + head)
  while (waiting.length < 15) await clock.advance(0)
  t.notOk(await isCutWithin(socket, 30))
  for (const answer of waiting) answer()
})

t.test('an idle connection between requests, and a caller that may read slowly, are left alone', async t => {
  const { caller, isCutWithin } = await appFor(t)
  const idle = await caller()
  idle.write('GET /nope HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(idle, 'data')
  t.notOk(await isCutWithin(idle, 60))
  const slow = await caller()
  slow.pause()
  slow.write('GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n')
  t.notOk(await isCutWithin(slow, 60))
})
