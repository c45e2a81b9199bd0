// Every failure between the service and Hasura over a real socket: the code, and what Hasura received, and how often.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { createHasuraClient, type HasuraClientOptions, type HasuraRequest, type TokenSource } from '../../src/hasura/hasura-client.ts'
import { AttemptError } from '../../src/http1/attempt-error.ts'
import { type Answer, type FakeServer, sendJson, startFakeServer } from '../support/fake-server.ts'

const QUERY = { body: '{"query":"{ a }"}', isQuery: true, headers: [] }
const MUTATION = { body: '{"query":"mutation { a }"}', isQuery: false, headers: [] }
const REFUSED = '{"errors":[{"extensions":{"path":"$","code":"invalid-jwt"},"message":"Could not verify JWT: JWTExpired"}]}'
const DATA = '{"data":{"a":1}}'

/** Nothing listens there: port 1 is unused today (RFC 1078), and no server on a free port gets it. */
const NOBODY = 'http://127.0.0.1:1/v1/graphql'

/** Tokens t1, t2 …; `rejectToken` returns the next one. */
function tokenSource(): TokenSource & { rejected: string[] } {
  let n = 1
  const rejected: string[] = []
  return {
    rejected,
    getToken: () => `t${n}`,
    rejectToken: async refused => {
      rejected.push(refused)
      n += 1
      return `t${n}`
    }
  }
}

async function clientFor(t: Test, answer: Answer, options: Partial<HasuraClientOptions> = {}) {
  const hasura = await startFakeServer(answer)
  const retries: string[] = []
  const tokens = tokenSource()
  const client = createHasuraClient({
    endpoint: `${hasura.url}/v1/graphql?x=1`,
    tokenHeader: 'Authorization',
    timeoutMs: 60_000,
    connections: 4,
    tokens,
    onRetry: reason => retries.push(reason),
    random: () => 0,
    ...options
  })
  t.teardown(async () => {
    await client.close()
    await hasura.close()
  })
  const execute = (request: Partial<HasuraRequest> = {}) => client.execute({ ...QUERY, signal: new AbortController().signal, ...request })
  return { hasura, client, execute, retries, tokens }
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    error => (error instanceof GatewayError ? error.code : String(error))
  )

/** A server without HTTP: the test decides what it does with each connection. */
async function rawServer(t: Test, onConnection: (socket: Socket, count: number) => void) {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket, connections)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/graphql`, connections: () => connections }
}

t.test('without a connection, any operation is tried three times, then it is UPSTREAM_UNREACHABLE', async t => {
  for (const request of [QUERY, MUTATION]) {
    const { execute, retries } = await clientFor(t, () => {}, { endpoint: NOBODY })
    t.equal(await codeOf(execute(request)), 'UPSTREAM_UNREACHABLE')
    t.strictSame(retries, ['connect', 'connect'])
  }
})

t.test('a host name that does not resolve is UPSTREAM_UNREACHABLE', async t => {
  const { execute, retries } = await clientFor(t, () => {}, { endpoint: 'http://nowhere.invalid/v1/graphql' })
  t.equal(await codeOf(execute()), 'UPSTREAM_UNREACHABLE')
  t.strictSame(retries, ['connect', 'connect'])
})

t.test('a connection that breaks after the request: a query is sent once more, a mutation never', async t => {
  const breaks: Answer = response => void response.destroy()
  const queries = await clientFor(t, breaks)
  t.equal(await codeOf(queries.execute()), 'UPSTREAM_UNREACHABLE')
  t.equal(queries.hasura.received.length, 2)
  t.strictSame(queries.retries, ['broken'])

  const mutations = await clientFor(t, breaks)
  t.equal(await codeOf(mutations.execute(MUTATION)), 'UPSTREAM_UNREACHABLE')
  t.equal(mutations.hasura.received.length, 1)

  const once = await clientFor(t, (response, _, count) => (count === 1 ? response.destroy() : sendJson(response, DATA)))
  t.equal((await once.execute()).head.toString(), DATA)
})

t.test('502, 503 and 504: a query is sent once more, a mutation never, and JSON passes with its status', async t => {
  for (const status of [502, 503, 504]) {
    const queries = await clientFor(t, response => sendJson(response, '{"error":"down"}', status))
    t.match(await queries.execute(), { status, head: Buffer.from('{"error":"down"}') })
    t.equal(queries.hasura.received.length, 2)
    const mutations = await clientFor(t, response => sendJson(response, '{"error":"down"}', status))
    t.match(await mutations.execute(MUTATION), { status })
    t.equal(mutations.hasura.received.length, 1)
  }
  const other = await clientFor(t, response => sendJson(response, '{"error":"down"}', 500))
  t.match(await other.execute(), { status: 500 })
  t.equal(other.hasura.received.length, 1, '500 is not tried again')
})

t.test('an answer that is not JSON is UPSTREAM_INVALID_RESPONSE', async t => {
  const answers: [string, number, Record<string, string>, string][] = [
    ['HTML with 200', 200, { 'content-type': 'text/html' }, '<html></html>'],
    ['HTML that says it is JSON', 200, { 'content-type': 'application/json' }, '<html></html>'],
    ['JSON that says it is HTML', 200, { 'content-type': 'text/html' }, DATA],
    ['no content type', 200, {}, DATA],
    ['empty', 200, { 'content-type': 'application/json' }, ''],
    ['cut short', 200, { 'content-type': 'application/json' }, '{"data":{"a":'],
    ['HTML with 500', 500, { 'content-type': 'text/html' }, '<html></html>'],
    ['a redirect', 302, { location: 'http://127.0.0.1:1/', 'content-type': 'text/html' }, ''],
    ['204', 204, {}, '']
  ]
  for (const [title, status, headers, body] of answers) {
    const { execute, hasura } = await clientFor(t, response => response.writeHead(status, headers).end(body))
    t.equal(await codeOf(execute()), 'UPSTREAM_INVALID_RESPONSE', title)
    t.equal(hasura.received.length, 1, title)
  }
})

t.test('HTML with 502 is retried, then UPSTREAM_INVALID_RESPONSE', async t => {
  const { execute, hasura } = await clientFor(t, response => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>'))
  t.equal(await codeOf(execute()), 'UPSTREAM_INVALID_RESPONSE')
  t.equal(hasura.received.length, 2)
})

t.test('a small answer that breaks off is UPSTREAM_INVALID_RESPONSE', async t => {
  const { execute, hasura } = await clientFor(t, response => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('{"data":', () => response.destroy())
  })
  t.equal(await codeOf(execute(MUTATION)), 'UPSTREAM_INVALID_RESPONSE')
  t.equal(hasura.received.length, 1)
})

t.test('extra bytes after the content length do not become part of the answer', async t => {
  const { url } = await rawServer(t, socket => {
    socket.once('data', () =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${DATA.length}\r\n\r\n${DATA}garbage`)
    )
  })
  const { execute } = await clientFor(t, () => {}, { endpoint: url })
  t.equal((await execute()).head.toString(), DATA)
})

t.test('bytes that are not HTTP, and an endless head, are UPSTREAM_INVALID_RESPONSE at once', async t => {
  for (const bytes of ['SSH-2.0-OpenSSH\r\n', `HTTP/1.1 200 OK\r\n${'x-bomb: boom\r\n'.repeat(5000)}`]) {
    const { url, connections } = await rawServer(t, socket => socket.once('data', () => socket.write(bytes)))
    const { execute } = await clientFor(t, () => {}, { endpoint: url })
    t.equal(await codeOf(execute()), 'UPSTREAM_INVALID_RESPONSE', bytes.slice(0, 20))
    t.equal(connections(), 1)
  }
})

t.test(
  'bytes that cannot become an answer are UPSTREAM_INVALID_RESPONSE at once, even if the peer then closes, and the request is not retried',
  async t => {
    const chunked = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
    for (const bytes of ['HTTP/1.1 200 OK\n', 'HTTP/1.x nonsense', `${chunked}zzzz`, `${chunked}5\r\n0123456789abcdef`])
      for (const closes of [false, true]) {
        const { url, connections } = await rawServer(t, socket => {
          socket.once('data', () => (closes ? socket.end(bytes) : socket.write(bytes)))
        })
        const { execute, retries } = await clientFor(t, () => {}, { endpoint: url })
        t.equal(await codeOf(execute()), 'UPSTREAM_INVALID_RESPONSE', JSON.stringify(bytes))
        t.strictSame([connections(), retries], [1, []])
      }
  }
)

t.test('an answer that ends when the connection closes is complete JSON, or UPSTREAM_INVALID_RESPONSE', async t => {
  const gzip = gzipSync(DATA)
  const answers: [string, string, string | Buffer, boolean][] = [
    ['whole', '', DATA, true],
    ['cut where it looks complete', '', '{"data":{"a":{"b":1}', false],
    ['cut', '', '{"data":', false],
    ['gzip, whole', 'content-encoding: gzip\r\n', gzip, true],
    ['gzip, cut', 'content-encoding: gzip\r\n', gzip.subarray(0, -3), false]
  ]
  for (const [title, fields, body, isWhole] of answers) {
    const { url } = await rawServer(t, socket => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${fields}\r\n`)
        socket.end(body)
      })
    })
    const { execute } = await clientFor(t, () => {}, { endpoint: url })
    t.equal(await codeOf(execute()), isWhole ? 'no error' : 'UPSTREAM_INVALID_RESPONSE', title)
  }
})

t.test('no head, only a head, and a trickle are UPSTREAM_TIMEOUT', async t => {
  const answers: Answer[] = [
    () => {},
    response => void response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders(),
    response => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const drip = setInterval(() => response.write(' '), 10)
      response.once('close', () => clearInterval(drip))
    }
  ]
  for (const answer of answers) {
    const { execute, hasura } = await clientFor(t, answer, { timeoutMs: 1_000 })
    t.equal(await codeOf(execute()), 'UPSTREAM_TIMEOUT')
    t.equal(hasura.received.length, 1, 'it is not tried again')
  }
})

t.test('an upstream that closes idle connections causes no failure, not even of mutations', async t => {
  const { execute, hasura, retries } = await clientFor(t, response => {
    sendJson(response, DATA)
    response.once('finish', () => response.socket?.end())
  })
  for (let n = 0; n < 50; n++) t.equal((await execute(n % 2 ? QUERY : MUTATION)).head.toString(), DATA)
  t.ok(hasura.received.length <= 50 + retries.length)
  t.strictSame(
    retries.filter(reason => reason !== 'broken'),
    [],
    'a query that met a closing connection may have been sent again, nothing else'
  )
})

t.test('one time limit applies to all attempts together', async t => {
  const { execute, hasura } = await clientFor(t, (response, _, count) => void (count === 1 && response.destroy()), { timeoutMs: 3_000 })
  t.equal(await codeOf(execute()), 'UPSTREAM_TIMEOUT')
  t.equal(hasura.received.length, 2)
})

t.test('if no time is left for another attempt, the failure of the last one is reported', async t => {
  // The random pause is longer than the time left, however slow the machine.
  const { execute, hasura } = await clientFor(t, response => void response.destroy(), { random: () => 1_000 })
  t.equal(await codeOf(execute()), 'UPSTREAM_UNREACHABLE')
  t.equal(hasura.received.length, 1)
})

t.test('a refused token is renewed and the request sent once more, a mutation too', async t => {
  for (const request of [QUERY, MUTATION]) {
    const { execute, hasura, tokens, retries } = await clientFor(t, (response, { headers }) =>
      sendJson(response, headers.authorization === 'Bearer t1' ? REFUSED : DATA)
    )
    t.equal((await execute(request)).head.toString(), DATA)
    t.strictSame(tokens.rejected, ['t1'])
    t.strictSame(retries, ['token'])
    t.strictSame(
      hasura.received.map(({ headers, body }) => [headers.authorization, body]),
      [
        ['Bearer t1', request.body],
        ['Bearer t2', request.body]
      ]
    )
  }
})

t.test('a second refusal is UPSTREAM_REJECTED_TOKEN with the reason', async t => {
  const refusals: Answer[] = [
    response => sendJson(response, REFUSED),
    response => response.writeHead(401).end('no'),
    response => response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(REFUSED)),
    response => sendJson(response, { errors: [{ message: 'JWT validation error: ExpiredSignature' }] }, 400)
  ]
  for (const answer of refusals) {
    const { execute, hasura, tokens } = await clientFor(t, answer)
    t.equal(await codeOf(execute()), 'UPSTREAM_REJECTED_TOKEN')
    t.equal(hasura.received.length, 2)
    t.strictSame(tokens.rejected, ['t1'])
  }
})

t.test('a reason that no new token can fix is UPSTREAM_REJECTED_TOKEN at once', async t => {
  const body = { errors: [{ extensions: { path: '$', code: 'jwt-invalid-claims' }, message: 'claims key not found' }] }
  const { execute, hasura, tokens } = await clientFor(t, response => sendJson(response, body))
  await t.rejects(execute(), { code: 'UPSTREAM_REJECTED_TOKEN', message: /claims key not found/ })
  t.equal(hasura.received.length, 1)
  t.strictSame(tokens.rejected, [])
})

t.test('if there is no other token, it is UPSTREAM_REJECTED_TOKEN without another attempt', async t => {
  const { execute, hasura } = await clientFor(t, response => sendJson(response, REFUSED), {
    tokens: { getToken: () => 't1', rejectToken: async () => undefined }
  })
  t.equal(await codeOf(execute()), 'UPSTREAM_REJECTED_TOKEN')
  t.equal(hasura.received.length, 1)
})

t.test('without a token Hasura is not called', async t => {
  const { execute, hasura } = await clientFor(t, response => sendJson(response, DATA), {
    tokens: {
      getToken: () => Promise.reject(new GatewayError('TOKEN_UNAVAILABLE')),
      rejectToken: async () => undefined
    }
  })
  t.equal(await codeOf(execute()), 'TOKEN_UNAVAILABLE')
  t.equal(hasura.received.length, 0)
})

t.test('a caller that leaves ends the call at any stage', async t => {
  const whileWaiting = async (hasura: FakeServer) => hasura.hasReceived(1)
  for (const answer of [() => {}, (response => void response.writeHead(200).write('{"data":')) as Answer]) {
    const { execute, hasura } = await clientFor(t, answer)
    const cancellation = new AbortController()
    const call = execute({ signal: cancellation.signal })
    await whileWaiting(hasura)
    const socket = [...hasura.sockets][0]
    cancellation.abort()
    await t.rejects(call, AttemptError)
    if (socket && !socket.destroyed) await once(socket, 'close')
    t.equal(hasura.sockets.size, 0, 'its connection is closed')
    t.equal(hasura.received.length, 1, 'nothing is tried again')
  }
})

t.test('nothing is sent for a caller that has already left', async t => {
  const { execute, hasura } = await clientFor(t, response => sendJson(response, DATA))
  const cancellation = new AbortController()
  cancellation.abort()
  await t.rejects(execute({ signal: cancellation.signal }), AttemptError)
  t.equal(hasura.received.length, 0)
})

t.test('the token is sent in the configured header', async t => {
  for (const [tokenHeader, expected] of [
    ['Authorization', 'Bearer t1'],
    ['authorization', 'Bearer t1'],
    ['Auth-Token', 't1']
  ] as const) {
    const { execute, hasura } = await clientFor(t, response => sendJson(response, DATA), { tokenHeader })
    await execute({ headers: ['x-request-id', 'id-1'] })
    const { headers, method, url } = hasura.received[0] ?? {}
    t.equal(headers?.[tokenHeader.toLowerCase()], expected)
    t.match({ method, url }, { method: 'POST', url: '/v1/graphql?x=1' })
    t.strictSame(
      Object.keys(headers ?? {}).sort(),
      [tokenHeader.toLowerCase(), 'accept', 'content-length', 'content-type', 'host', 'x-request-id'].sort()
    )
  }
})

t.test('a value that would break out of its header is not sent', async t => {
  const { execute, hasura } = await clientFor(t, response => sendJson(response, DATA))
  for (const value of ['a\r\nx-hasura-role: admin', 'a\n', 'a\u0000', 'a\u20ac'])
    await t.rejects(async () => execute({ headers: ['x-tenant', value] }), /not a header value: x-tenant/, JSON.stringify(value))
  t.equal(hasura.received.length, 0)
})

t.test('every form of JSON passes', async t => {
  for (const body of [DATA, ' {"data":null}\n', '[]', '"text"', '{"errors":[{"message":"no"}]}']) {
    const { execute } = await clientFor(t, response => sendJson(response, body))
    t.equal((await execute()).head.toString(), body)
  }
})
