// HTTP/1.1 over real sockets: what is sent, and what is read.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { ProtocolError } from '../../src/http1/answer-head.ts'
import { ConnectionPool } from '../../src/http1/connection-pool.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { answersOk, Collected, OK, poolFor } from '../support/upstream-pool.ts'

t.test('an invalid answer is a protocol error, and its connection is closed', async t => {
  for (const bytes of [
    'SSH-2.0\r\n',
    'HTTP/1.1 200\r\nbad\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n'
  ]) {
    const { ask, closed } = await poolFor(t, socket => void socket.write(bytes))
    await t.rejects(ask(), ProtocolError, JSON.stringify(bytes))
    await closed()
  }
})

t.test('an endless head fails at 16 KiB, whether it arrives at once or in small pieces', async t => {
  const endless = `HTTP/1.1 200 OK\r\n${'x-bomb: boom\r\n'.repeat(1300)}`
  const { ask } = await poolFor(t, socket => void socket.write(endless))
  await t.rejects(ask(), ProtocolError)
  const drops = await poolFor(t, socket => {
    socket.write(endless.slice(0, 9000))
    setImmediate(() => socket.write(endless.slice(9000)))
  })
  await t.rejects(drops.ask(), ProtocolError)
})

t.test('an answer that breaks off fails, wherever it breaks', async t => {
  const heads = [
    '',
    'HTTP/1.1 2',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n'
  ]
  for (const bytes of heads) {
    const { ask } = await poolFor(t, socket => void socket.end(bytes))
    await t.rejects(ask(), { message: 'the connection was closed' }, JSON.stringify(bytes))
  }
})

t.test('an answer ends where its framing says, and interim answers are skipped', async t => {
  const endsWithConnection = await poolFor(t, socket => void socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'))
  t.equal((await endsWithConnection.ask()).body, 'all of it')
  const interim = await poolFor(t, socket => {
    socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 20`)
    setImmediate(() => socket.write(OK.slice('HTTP/1.1 20'.length)))
  })
  t.match(await interim.ask(), { status: 200, body: 'ok' })
  for (const status of [204, 304]) {
    const { ask, upstream } = await poolFor(t, socket => void socket.write(`HTTP/1.1 ${status} Any\r\n\r\n`))
    for (let n = 0; n < 2; n += 1) t.match(await ask(), { status, body: '' })
    t.equal(upstream.connections, 1)
  }
})

t.test('an answer that arrives before the whole request was sent ends its connection', async t => {
  const server = await startRawUpstream(() => {})
  const pool = new ConnectionPool({ isSecure: false, hostname: '127.0.0.1', port: server.port, connectTimeoutMs: 5000 }, 1)
  t.teardown(async () => {
    pool.close()
    await server.close()
  })
  const exchange = new Collected('x'.repeat(20_000_000))
  pool.send(exchange)
  await exchange.sent
  while (server.sockets.size === 0) await new Promise(setImmediate)
  const [socket] = server.sockets
  if (socket === undefined) throw new Error('no connection')
  socket.pause()
  socket.write(OK)
  t.equal((await exchange.whole).body, 'ok')
  socket.resume()
  await once(socket, 'close')
  t.ok((server.received[0]?.length ?? 0) < 20_000_000)
})

t.test('a non-ASCII body is sent as UTF-8, and header bytes unchanged', async t => {
  const { start, upstream } = await poolFor(t, answersOk)
  const body = '{"query":"{ größer(wert: \\"€ 😀\\") }"}'
  await start(new Collected(body, 'POST / HTTP/1.1\r\nhost: h\r\nx-name: M\u00fcller\r\n')).whole
  const bytes = Buffer.from(body)
  const expected = `POST / HTTP/1.1\r\nhost: h\r\nx-name: M\u00fcller\r\ncontent-length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`
  t.equal(upstream.received[0], expected)
})

t.test('reading pauses and resumes on request, even at the end of an answer', async t => {
  const size = 10_000_000
  const { start, ask, upstream } = await poolFor(t, socket => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`)
    socket.write('y'.repeat(size))
  })
  const exchange = start()
  const connection = await exchange.sent
  await exchange.answered
  connection.pause()
  t.equal(connection.isPaused, true)
  const [socket] = upstream.sockets
  while ((socket?.writableLength ?? 0) === 0) await new Promise(setImmediate)
  t.ok((socket?.writableLength ?? 0) > 0, 'the other side has to wait')
  connection.resume()
  t.equal((await exchange.whole).body.length, size)
  t.equal((await ask()).body.length, size, 'the connection is read again for the next answer')
  t.equal(upstream.connections, 1)
})

t.test('a cancelled request closes its connection and gets no events', async t => {
  const { start, upstream } = await poolFor(t, () => {})
  const exchange = start()
  let isTold = false
  exchange.whole.catch(() => {
    isTold = true
  })
  const connection = await exchange.sent
  while (upstream.sockets.size === 0) await new Promise(setImmediate)
  const [socket] = upstream.sockets
  connection.abort()
  if (socket) await once(socket, 'close')
  t.equal(isTold, false)
})

t.test('a request that is cancelled at its last byte gets no end event', async t => {
  const { start, ask, upstream } = await poolFor(t, answersOk)
  const exchange = new Collected()
  let ends = 0
  exchange.onData = () => exchange.connection?.abort()
  exchange.onEnd = () => {
    ends += 1
  }
  start(exchange)
  await exchange.answered
  t.equal((await ask()).body, 'ok')
  t.equal(ends, 0)
  t.equal(upstream.connections, 2)
})

t.test('each address of a name is tried', async t => {
  const { ask } = await poolFor(t, answersOk, 1, 'localhost')
  t.equal((await ask()).body, 'ok')
})

t.test('if an upstream closes without reading, the request fails at once', async t => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, socket => void socket.on('error', () => {}).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const target = { isSecure: false, hostname: '127.0.0.1', port: (server.address() as AddressInfo).port, connectTimeoutMs: 5000 }
  const pool = new ConnectionPool(target, 1)
  const exchange = new Collected('x'.repeat(20_000_000))
  pool.send(exchange)
  await t.rejects(exchange.whole, { message: 'the connection was closed' })
  pool.close()
  server.close()
})

t.test('any answer in any pieces is read unchanged', async t => {
  let due: { bytes: Buffer; pieces: number[] } = { bytes: Buffer.alloc(0), pieces: [] }
  const { ask } = await poolFor(t, socket => {
    const { bytes, pieces } = due
    let at = 0
    const next = (n: number) => {
      if (at >= bytes.length) return
      const size = pieces[n % pieces.length] ?? bytes.length
      socket.write(bytes.subarray(at, at + size))
      at += size
      // One turn later, so that it is read as a separate piece.
      setImmediate(() => setImmediate(() => next(n + 1)))
    }
    socket.setNoDelay(true)
    next(0)
  })
  const text = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '\u00ff', '0'), maxLength: 60 })
  const framing = fc.constantFrom('length', 'chunked')
  const pieces = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 })
  await t.resolves(
    fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 4 }),
        framing,
        pieces,
        fc.integer({ min: 200, max: 203 }),
        async (parts, framing, pieces, status) => {
          const body = parts.join('')
          const chunks = parts.filter(Boolean).map(part => `${part.length.toString(16)}\r\n${part}\r\n`)
          const [field, content] =
            framing === 'length' ? [`content-length: ${body.length}`, body] : ['transfer-encoding: chunked', `${chunks.join('')}0\r\n\r\n`]
          due = { bytes: Buffer.from(`HTTP/1.1 ${status} OK\r\n${field}\r\nx: 1\r\n\r\n${content}`, 'latin1'), pieces }
          const answer = await ask()
          return answer.status === status && answer.body === body && answer.head.headers.get('x') === '1'
        }
      ),
      { numRuns: 300 }
    )
  )
})
