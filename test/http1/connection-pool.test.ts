// How many connections there are, which request uses which, and when one is reused.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { answersOk, Collected, OK, poolFor } from '../support/upstream-pool.ts'

t.test('one connection serves one request after the other, never two at once', async t => {
  let open = 0
  const { ask, upstream } = await poolFor(t, socket => {
    t.equal(++open, 1)
    setImmediate(() => {
      open -= 1
      socket.write(OK)
    })
  })
  const answers = await Promise.all(['a', 'b', 'c'].map(ask))
  t.strictSame(
    answers.map(({ body }) => body),
    ['ok', 'ok', 'ok']
  )
  t.equal(upstream.connections, 1)
  const request = (body: string) => `POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\n${body}`
  t.equal(upstream.received[0], request('a') + request('b') + request('c'), 'in their order')
})

t.test('there are no more connections than the bound, and a waiting request is sent as soon as one is free', async t => {
  const held: Socket[] = []
  const { start, upstream } = await poolFor(t, socket => void held.push(socket), 2)
  const exchanges = [start(), start(), start(), start()]
  await Promise.all(exchanges.slice(0, 2).map(({ sent }) => sent))
  while (held.length < 2) await new Promise(setImmediate)
  t.equal(exchanges[2]?.connection, undefined)
  held.shift()?.write(OK)
  await exchanges[2]?.sent
  t.equal(exchanges[3]?.connection, undefined)
  held.shift()?.destroy()
  await exchanges[3]?.sent
  t.equal(upstream.connections, 3, 'another replaces one that broke')
})

t.test('a request that was cancelled while waiting is not sent', async t => {
  const held: Socket[] = []
  const { start, upstream } = await poolFor(t, socket => void held.push(socket))
  const first = start()
  const second = start(new Collected('2'))
  const third = start(new Collected('3'))
  await first.sent
  second.isOver = true
  while (held.length < 1) await new Promise(setImmediate)
  held[0]?.write(OK)
  await third.sent
  while (held.length < 2) await new Promise(setImmediate)
  t.notOk(upstream.received[0]?.endsWith('2'))
  t.ok(upstream.received[0]?.endsWith('3'))
})

t.test('a connection that was opened for a cancelled request serves the next one', async t => {
  const { start, upstream } = await poolFor(t, answersOk)
  const first = start(new Collected('1'))
  // The connection starts at the end of this turn, and is established later.
  await new Promise(setImmediate)
  first.isOver = true
  await start(new Collected('2')).whole
  t.equal(upstream.connections, 1)
  t.ok(upstream.received[0]?.endsWith('\r\n\r\n2'))
  t.notMatch(upstream.received[0], /\r\n\r\n1/)
})

t.test('some answers end the use of a connection', async t => {
  const answers = [
    'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok',
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok',
    `${OK}${OK}`,
    'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n0'
  ]
  for (const bytes of answers) {
    const { ask, upstream } = await poolFor(t, socket => void socket.write(bytes))
    t.match((await ask()).body, /^(ok)?$/)
    await ask()
    t.equal(upstream.connections, 2, JSON.stringify(bytes))
  }
})

t.test('unsolicited bytes are not the answer to the next request', async t => {
  const sockets: Socket[] = []
  const { ask, upstream } = await poolFor(t, (socket, _, count) => {
    sockets.push(socket)
    socket.write(count === 1 ? OK : OK.replace('ok', 'no'))
  })
  await ask()
  const [socket] = sockets
  if (socket === undefined) throw new Error('nothing was received')
  // They are in the kernel's buffer when the next request starts.
  await new Promise<void>(resolve => socket.write(OK.replace('ok', 'XX'), () => resolve()))
  t.equal((await ask()).body, 'no')
  t.equal(upstream.connections, 2)
})

t.test('a connection that the other side closes while it is idle is not reused', async t => {
  const { ask, upstream, closed } = await poolFor(t, socket => {
    socket.write(OK)
    setImmediate(() => socket.end())
  })
  for (let n = 1; n <= 5; n += 1) {
    t.equal((await ask()).body, 'ok')
    await closed()
    t.equal(upstream.connections, n)
  }
})

t.test('an idle connection is closed when its time is over', async t => {
  const { ask, upstream } = await poolFor(t, socket => {
    socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=3\r\ncontent-length: 2\r\n\r\nok')
  })
  await ask()
  for (const socket of upstream.sockets) await once(socket, 'close')
  t.equal(upstream.connections, 1)
})

t.test('a connection is used for ten minutes, plus or minus a fifth', async t => {
  const MINUTE_MS = 60_000
  for (const [random, lifeMs] of [
    [0, 8 * MINUTE_MS],
    [0.5, 10 * MINUTE_MS],
    [1, 12 * MINUTE_MS]
  ] as const) {
    let nowMs = 1_000
    const chance = { nowMs: () => nowMs, random: () => random }
    const bytes = OK.replace('content', 'keep-alive: timeout=900\r\ncontent')
    const { ask, upstream } = await poolFor(t, socket => void socket.write(bytes), 1, '127.0.0.1', chance)
    await ask()
    nowMs += lifeMs / 2
    await ask()
    nowMs += lifeMs / 2 - 1
    await ask()
    t.equal(upstream.connections, 1, 'a tick before its end it is still used')
    nowMs += 1
    await ask()
    t.equal(upstream.connections, 2)
  }
})

t.test('if an upstream closes each connection at once, each request fails once, and the client does not reconnect endlessly', async t => {
  const { start, upstream } = await poolFor(t, () => {}, 2)
  const exchanges = [start(), start(), start()]
  const closing = setInterval(() => {
    for (const socket of upstream.sockets) socket.destroy()
  }, 0)
  for (const { whole } of exchanges) await t.rejects(whole)
  clearInterval(closing)
  t.ok(upstream.connections <= 6, `${upstream.connections} connections`)
})

t.test('a closed pool fails requests in progress and later ones', async t => {
  const { start, pool } = await poolFor(t, () => {})
  const [sent, waiting] = [start(), start()]
  await sent.sent
  pool.close()
  for (const exchange of [sent, waiting, start()]) await t.rejects(exchange.whole, { message: 'the pool is closed' })
})
