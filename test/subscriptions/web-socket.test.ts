// The WebSocket itself, over real sockets: everything that may answer in place of Hasura.
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { MESSAGE_MAX_BYTES, webSocketTo } from '../../src/subscriptions/web-socket.ts'
import { listen } from '../support/listen.ts'

/** Connects and records all events. */
function connect(port: number) {
  const end = Promise.withResolvers<{ code: number; fault: string | undefined }>()
  const open = Promise.withResolvers<void>()
  const message = Promise.withResolvers<string>()
  const transport = webSocketTo(`http://127.0.0.1:${port}/v1/graphql`)({
    onOpen: () => open.resolve(),
    onMessage: text => message.resolve(text),
    onClose: (code, fault) => end.resolve({ code, fault })
  })
  return { transport, end: end.promise, open: open.promise, message: message.promise }
}

/** An HTTP server that handles an upgrade as the test says. */
async function onUpgrade(t: Test, answer: (request: IncomingMessage, socket: Duplex) => void): Promise<number> {
  const server = createServer().on('upgrade', answer)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return listen(server)
}

/** A WebSocket server that selects this subprotocol. */
async function webSocketServer(t: Test, protocol: string | false = 'graphql-transport-ws') {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => protocol })
  t.teardown(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  await new Promise(resolve => server.once('listening', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}

for (const status of ['404 Not Found', '400 Bad Request', '200 OK'])
  t.test(`a server that answers an upgrade with ${status}`, async t => {
    const port = await onUpgrade(t, (_, socket) => socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`))
    const { code, fault } = await connect(port).end
    t.equal(code, 1006)
    t.match(fault, status.slice(0, 3), 'the status is in the log')
  })

t.test('a port without a listener', async t => {
  const { code, fault } = await connect(1).end
  t.equal(code, 1006)
  t.match(fault, 'ECONNREFUSED')
})

t.test('a server that does not speak HTTP', async t => {
  const server = createTcpServer(socket => socket.end('SSH-2.0-OpenSSH_9.6\r\n'))
  t.teardown(() => server.close())
  t.equal((await connect(await listen(server)).end).code, 1006)
})

t.test('a handshake that hangs is ended by terminate', async t => {
  const sockets: Socket[] = []
  const server = createTcpServer(socket => void sockets.push(socket.on('error', () => {})))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { transport, end } = connect(await listen(server))
  transport.send('before it is open')
  transport.terminate()
  t.equal((await end).code, 1006)
})

for (const protocol of ['graphql-ws', false] as const)
  t.test(`a server that picks the subprotocol ${protocol}`, async t => {
    const { port } = await webSocketServer(t, protocol)
    const { code, fault } = await connect(port).end
    t.equal(code, 1006)
    t.match(fault, /subprotocol/)
  })

t.test('texts are sent both ways, and a close code arrives', async t => {
  const { server, port } = await webSocketServer(t)
  server.on('connection', socket =>
    socket.on('message', data => {
      socket.send(data.toString())
      socket.close(4403, 'Forbidden')
    })
  )
  const { transport, open, message, end } = connect(port)
  await open
  transport.send('{"n":9007199254740993}')
  t.equal(await message, '{"n":9007199254740993}')
  t.equal((await end).code, 4403)
  transport.send('after the end')
})

t.test('a binary message is refused', async t => {
  const { server, port } = await webSocketServer(t)
  server.on('connection', socket => socket.send(Buffer.from('{}')))
  t.equal(await connect(port).message, '')
})

t.test('invalid frames end the connection', async t => {
  const { server, port } = await webSocketServer(t)
  server.on('connection', (_, request) => request.socket.write(Buffer.alloc(64, 0xff)))
  t.not((await connect(port).end).code, 1000)
})

t.test('20 MB arrive complete; a message over the limit ends the connection without being buffered', async t => {
  const { server, port } = await webSocketServer(t)
  const large = 'x'.repeat(20_000_000)
  server.on('connection', socket => {
    socket.on('error', () => {})
    socket.send(large, () => socket.send(Buffer.alloc(MESSAGE_MAX_BYTES + 1, 0x20)))
  })
  const { message, end } = connect(port)
  t.equal((await message).length, large.length)
  const { fault } = await end
  t.match(fault, /Max payload/)
})
