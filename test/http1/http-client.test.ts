// Large answers: streamed at the reader's pace, and never silently short.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { AttemptError } from '../../src/http1/attempt-error.ts'
import { createHttpClient } from '../../src/http1/http-client.ts'
import { HOLD_MAX_BYTES } from '../../src/http1/pending-answer.ts'
import { type Answer, startFakeServer } from '../support/fake-server.ts'

async function clientFor(t: Test, answer: Answer, timeoutMs = 60_000) {
  const upstream = await startFakeServer(answer)
  const client = createHttpClient({ url: upstream.url, connections: 1 })
  t.teardown(async () => {
    client.close()
    await upstream.close()
  })
  const send = () => client.request({ fields: '', body: '{}', timeoutMs, signal: new AbortController().signal })
  return { upstream, send }
}

const MEGABYTE = Buffer.alloc(1024 * 1024, 'x')

/** Writes megabytes as fast as the other side reads them, and counts them. */
async function pour(response: ServerResponse, megabytes: number, written: { count: number }): Promise<void> {
  for (; written.count < megabytes && !response.destroyed; written.count += 1) {
    if (!response.write(MEGABYTE)) await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  response.end()
}

t.test('if an upstream breaks off, the stream fails instead of ending', async t => {
  const { send } = await clientFor(t, response => {
    response.writeHead(200, { 'content-length': String(2 * MEGABYTE.length) })
    response.write(MEGABYTE, () => response.destroy())
  })
  const { stream } = await send()
  let size = 0
  await t.rejects(async () => {
    for await (const chunk of stream ?? []) size += chunk.length
  }, AttemptError)
  t.ok(size < 2 * MEGABYTE.length)
})

t.test('if an upstream falls silent after 64 KiB, the stream fails', async t => {
  const { send } = await clientFor(t, response => void response.writeHead(200).write(MEGABYTE), 2_000)
  const { stream } = await send()
  await t.rejects(async () => {
    for await (const _ of stream ?? []);
  }, /timeout while answered/)
})

t.test('a pause after 64 KiB may be longer than what was left of the time limit', async t => {
  const upstream = await startFakeServer((response, { body }) => {
    if (body === 'silent') return
    response.writeHead(200, { 'content-length': String(2 * MEGABYTE.length) }).write(MEGABYTE)
    held = response
  })
  let held: ServerResponse | undefined
  const client = createHttpClient({ url: upstream.url, connections: 2 })
  t.teardown(async () => {
    client.close()
    await upstream.close()
  })
  const signal = new AbortController().signal
  const { stream } = await client.request({ fields: '', body: '{}', timeoutMs: 500, pauseMaxMs: 60_000, signal })
  let size = 0
  stream?.on('data', chunk => {
    size += chunk.length
  })
  await t.rejects(client.request({ fields: '', body: 'silent', timeoutMs: 1_000, signal }), /timeout/, 'a second passes')
  held?.end(MEGABYTE)
  if (stream) await once(stream, 'end')
  t.equal(size, 2 * MEGABYTE.length)
})

t.test('a paused reader does not count as a silent upstream', async t => {
  const written = { count: 0 }
  const { send } = await clientFor(t, response => void pour(response, 8, written), 1_000)
  const { stream } = await send()
  await new Promise(resolve => setTimeout(resolve, 2_000))
  let size = 0
  for await (const chunk of stream ?? []) size += chunk.length
  t.equal(size, 8 * MEGABYTE.length)
})

t.test('nothing is read ahead of the reader', async t => {
  const written = { count: 0 }
  const { send, upstream } = await clientFor(t, response => void pour(response, 200, written))
  const { stream } = await send()
  t.ok(stream)
  // The sockets' own buffers take some; once they are full, the upstream waits for its drain.
  let before = -1
  while (before !== written.count) {
    before = written.count
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  t.ok(written.count < 50, `${written.count} of 200 MiB left the upstream`)
  t.ok((stream?.readableLength ?? 0) <= 4 * HOLD_MAX_BYTES, 'the stream holds little')
  stream?.destroy()
  for (const socket of upstream.sockets) await new Promise(resolve => socket.once('close', resolve))
  t.equal(upstream.sockets.size, 0, 'a stream that is dropped frees the socket')
})

t.test('an answer of 64 KiB arrives in one piece, and one byte more as a complete stream', async t => {
  for (const size of [0, 1, HOLD_MAX_BYTES, HOLD_MAX_BYTES + 1]) {
    const body = Buffer.alloc(size, 'y')
    const { send } = await clientFor(t, response => void response.end(body))
    const { head, stream } = await send()
    t.equal(stream !== undefined, size > HOLD_MAX_BYTES, `${size} bytes`)
    const chunks: Buffer[] = []
    for await (const chunk of stream ?? [head]) chunks.push(chunk)
    t.ok(Buffer.concat(chunks).equals(body))
  }
})

t.test('after a stream ends, its connection serves the next request', async t => {
  const { send, upstream } = await clientFor(t, response => void response.end(MEGABYTE))
  const seen = new Set()
  for (let n = 0; n < 3; n++) {
    const { stream } = await send()
    for await (const _ of stream ?? []);
    for (const socket of upstream.sockets) seen.add(socket)
  }
  t.equal(upstream.received.length, 3)
  t.equal(seen.size, 1)
})

t.test('the time limit for establishing a connection is configurable', async t => {
  const sockets: Socket[] = []
  const silent = createServer(socket => void sockets.push(socket.on('error', () => {}).resume())).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const client = createHttpClient({ url, connections: 1, connectTimeoutMs: 50 })
  t.teardown(() => {
    client.close()
    silent.close()
  })
  const request = client.request({ fields: '', body: '{}', timeoutMs: 60_000, signal: new AbortController().signal })
  await t.rejects(request, { phase: 'unsent', reason: 'broken', cause: { message: 'no connection within 50 ms' } })
})
