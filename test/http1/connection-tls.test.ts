// How a TLS connection is established, and the time limit for that.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import t from 'tap'
import { ProtocolError } from '../../src/http1/answer-head.ts'
import { ConnectionPool } from '../../src/http1/connection-pool.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { makeSelfSigned } from '../support/self-signed.ts'
import { Collected, OK } from '../support/upstream-pool.ts'

t.test('TLS: an unknown certificate fails; a known one is requested by name, and its session is resumed', async t => {
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

t.test('a request whose connection is not yet established uses another one that becomes free first', async t => {
  const { key, cert } = makeSelfSigned()
  const answering: Socket[] = []
  const upstream = await startRawUpstream(socket => void answering.push(socket), createTlsServer({ key, cert }))
  const sockets: Socket[] = []
  // The second connection gets no answer to its TLS greeting.
  const relay = createServer(socket => {
    sockets.push(socket.on('error', () => {}))
    if (sockets.length === 1) socket.pipe(connect(upstream.port, '127.0.0.1')).pipe(socket)
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  t.teardown(() => setDefaultCACertificates(before))
  const { port } = relay.address() as AddressInfo
  const pool = new ConnectionPool({ isSecure: true, hostname: 'localhost', port, connectTimeoutMs: 60_000 }, 2)
  const [first, second] = [new Collected('1'), new Collected('2')]
  pool.send(first)
  await first.sent
  pool.send(second)
  while (sockets.length < 2 || answering.length < 1) await new Promise(setImmediate)
  answering[0]?.write(OK)
  await second.sent
  t.equal(second.connection, first.connection)
  pool.close()
  await upstream.close()
  relay.close()
  for (const socket of sockets) socket.destroy()
})

t.test('TLS: an answer that ends with its connection is refused, because a truncation would look like an end', async t => {
  const { key, cert } = makeSelfSigned()
  const upstream = await startRawUpstream(
    socket => void socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"data":1}'),
    createTlsServer({ key, cert })
  )
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  t.teardown(() => setDefaultCACertificates(before))
  const pool = new ConnectionPool({ isSecure: true, hostname: 'localhost', port: upstream.port, connectTimeoutMs: 5000 }, 1)
  const exchange = new Collected()
  pool.send(exchange)
  await t.rejects(exchange.whole, ProtocolError)
  pool.close()
  await upstream.close()
})

t.test('a connection that is not established in time fails', async t => {
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
