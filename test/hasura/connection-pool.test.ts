// HTTP/1.1 towards Hasura over real sockets: what is sent, what is read, and when a connection is used again.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type AnswerHead, ProtocolError } from '../../src/hasura/answer-head.ts'
import type { Connection, Exchange } from '../../src/hasura/connection.ts'
import { ConnectionPool } from '../../src/hasura/connection-pool.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { makeSelfSigned } from '../support/self-signed.ts'

type Whole = { status: number; head: AnswerHead; body: string }

/** One exchange that collects its answer. */
class Collected implements Exchange {
  readonly head: string
  readonly body: string
  isOver = false
  connection: Connection | undefined
  readonly sent: Promise<Connection>
  readonly answered: Promise<AnswerHead>
  readonly whole: Promise<Whole>
  #head: AnswerHead | undefined
  #chunks: Buffer[] = []
  #onSent: (connection: Connection) => void = () => {}
  #onAnswered: (head: AnswerHead) => void = () => {}
  #resolve: (whole: Whole) => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(body = 'x', head = 'POST / HTTP/1.1\r\nhost: h\r\n') {
    this.head = head
    this.body = body
    this.sent = new Promise(resolve => {
      this.#onSent = resolve
    })
    this.answered = new Promise(resolve => {
      this.#onAnswered = resolve
    })
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.whole.catch(() => {})
  }

  onSent(connection: Connection): void {
    this.connection = connection
    this.#onSent(connection)
  }

  onHead(head: AnswerHead): void {
    this.#head = head
    this.#onAnswered(head)
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onEnd(): void {
    if (this.#head) this.#resolve({ status: this.#head.status, head: this.#head, body: Buffer.concat(this.#chunks).toString('latin1') })
  }

  onError(error: Error): void {
    this.#reject(error)
  }
}

type Handler = (socket: Socket, request: string, count: number) => void

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const answersOk: Handler = socket => void socket.write(OK, 'latin1')

async function poolFor(t: Test, onRequest: Handler, connections = 1, hostname = '127.0.0.1') {
  const upstream = await startRawUpstream(onRequest)
  const pool = new ConnectionPool({ isSecure: false, hostname, port: upstream.port, connectTimeoutMs: 5000 }, connections)
  t.teardown(async () => {
    pool.close()
    await upstream.close()
  })
  const start = (exchange = new Collected()) => {
    pool.send(exchange)
    return exchange
  }
  const ask = (body?: string) => start(new Collected(body)).whole
  /** Resolves when the service has closed the latest connection. */
  const closed = async () => {
    for (const socket of upstream.sockets) if (!socket.destroyed) await once(socket, 'close')
  }
  return { upstream, pool, start, ask, closed }
}

t.test('what is no answer fails as such, and its connection is given up', async t => {
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

t.test('a head that does not end fails at 16 KiB, come at once or in drops', async t => {
  const endless = `HTTP/1.1 200 OK\r\n${'x-bomb: boom\r\n'.repeat(1300)}`
  const { ask } = await poolFor(t, socket => void socket.write(endless))
  await t.rejects(ask(), ProtocolError)
  const drops = await poolFor(t, socket => {
    socket.write(endless.slice(0, 9000))
    setImmediate(() => socket.write(endless.slice(9000)))
  })
  await t.rejects(drops.ask(), ProtocolError)
})

t.test('an answer that breaks off fails, wherever it does', async t => {
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

t.test('no more connections than the bound; what waits is sent as soon as one is free', async t => {
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
  t.equal(upstream.connections, 3, 'another takes the place of one that broke')
})

t.test('what nobody waits for any more is not sent', async t => {
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

t.test('a connection that is made for what nobody waits for any more serves the next', async t => {
  const { start, upstream } = await poolFor(t, answersOk)
  const first = start(new Collected('1'))
  // The connection is begun at the end of this turn, and made later.
  await new Promise(setImmediate)
  first.isOver = true
  await start(new Collected('2')).whole
  t.equal(upstream.connections, 1)
  t.ok(upstream.received[0]?.endsWith('\r\n\r\n2'))
  t.notMatch(upstream.received[0], /\r\n\r\n1/)
})

t.test('an answer after which a connection is not used again', async t => {
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

t.test('bytes that come unasked are no answer to the next request', async t => {
  const sockets: Socket[] = []
  const { ask, upstream } = await poolFor(t, (socket, _, count) => {
    sockets.push(socket)
    socket.write(count === 1 ? OK : OK.replace('ok', 'no'))
  })
  await ask()
  const [socket] = sockets
  if (socket === undefined) throw new Error('nothing was received')
  // They lie in the kernel's buffer when the next request is asked for.
  await new Promise<void>(resolve => socket.write(OK.replace('ok', 'XX'), () => resolve()))
  t.equal((await ask()).body, 'no')
  t.equal(upstream.connections, 2)
})

t.test('a connection that the other side closes while it is idle is not used again', async t => {
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

t.test('an answer ends as its framing says, and interim ones are passed over', async t => {
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

t.test('an answer before the whole request has gone out ends its connection', async t => {
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

t.test('a body beyond ASCII goes out as UTF-8, and a header’s bytes as they are', async t => {
  const { start, upstream } = await poolFor(t, answersOk)
  const body = '{"query":"{ größer(wert: \\"€ 😀\\") }"}'
  await start(new Collected(body, 'POST / HTTP/1.1\r\nhost: h\r\nx-name: M\u00fcller\r\n')).whole
  const bytes = Buffer.from(body)
  const expected = `POST / HTTP/1.1\r\nhost: h\r\nx-name: M\u00fcller\r\ncontent-length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`
  t.equal(upstream.received[0], expected)
})

t.test('reading stops and goes on as it is told, also over the end of an answer', async t => {
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

t.test('what is given up closes its connection and is told nothing', async t => {
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

t.test('what is given up with its last byte is not told of its end', async t => {
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

t.test('a pool that is closed fails what is under way and what comes later', async t => {
  const { start, pool } = await poolFor(t, () => {})
  const [sent, waiting] = [start(), start()]
  await sent.sent
  pool.close()
  for (const exchange of [sent, waiting, start()]) await t.rejects(exchange.whole, { message: 'the pool is closed' })
})

t.test('a name with several addresses is tried by each', async t => {
  const { ask } = await poolFor(t, answersOk, 1, 'localhost')
  t.equal((await ask()).body, 'ok')
})

t.test('an upstream that closes without reading has the request fail at once', async t => {
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

t.test('any answer in any pieces is read as it was written', async t => {
  let due: { bytes: Buffer; pieces: number[] } = { bytes: Buffer.alloc(0), pieces: [] }
  const { ask } = await poolFor(t, socket => {
    const { bytes, pieces } = due
    let at = 0
    const next = (n: number) => {
      if (at >= bytes.length) return
      const size = pieces[n % pieces.length] ?? bytes.length
      socket.write(bytes.subarray(at, at + size))
      at += size
      // A turn later, so that it is read as a piece of its own.
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

t.test('TLS: an unknown certificate fails; a known one is asked for by name, and its session goes on', async t => {
  const { key, cert } = makeSelfSigned()
  const server = createTlsServer({ key, cert, ALPNProtocols: ['http/1.1'] })
  const seen: { name: unknown; protocol: unknown; isReused: boolean }[] = []
  server.on('secureConnection', socket =>
    seen.push({ name: socket.servername, protocol: socket.alpnProtocol, isReused: socket.isSessionReused() })
  )
  server.on('tlsClientError', () => {})
  const large = 'z'.repeat(1_000_000)
  const upstream = await startRawUpstream(
    socket => void socket.end(OK.replace('length: 2', 'length: 1000000').replace('ok', large)),
    server
  )
  const target = { isSecure: true, hostname: 'localhost', port: upstream.port, connectTimeoutMs: 5000 }
  const unknown = new ConnectionPool(target, 1)
  const refused = new Collected()
  unknown.send(refused)
  await t.rejects(refused.whole, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  t.equal(upstream.received.join(''), '', 'nothing was sent')

  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  t.teardown(() => setDefaultCACertificates(before))
  const pool = new ConnectionPool(target, 1)
  for (let n = 0; n < 2; n += 1) {
    const exchange = new Collected()
    pool.send(exchange)
    t.ok((await exchange.whole).body === large)
    while (upstream.sockets.size > 0) await new Promise(setImmediate)
  }
  t.strictSame(seen.slice(-2), [
    { name: 'localhost', protocol: 'http/1.1', isReused: false },
    { name: 'localhost', protocol: 'http/1.1', isReused: true }
  ])
  unknown.close()
  pool.close()
  await upstream.close()
})

t.test('a connection that is not made in its time fails', async t => {
  // A TLS server that never answers the greeting.
  const upstream = await startRawUpstream(() => {})
  const pool = new ConnectionPool({ isSecure: true, hostname: '127.0.0.1', port: upstream.port, connectTimeoutMs: 50 }, 1)
  const exchange = new Collected()
  pool.send(exchange)
  await t.rejects(exchange.whole, { message: 'no connection within 50 ms' })
  t.equal(exchange.connection, undefined, 'it was not sent')
  pool.close()
  await upstream.close()
})
