// Answers pass through byte for byte, and use little memory however large they are.
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import { gatewayFor } from './support/gateway.ts'
import { serviceFor } from './support/service-process.ts'

const MEGABYTE = 1024 * 1024

t.test('any bytes from Hasura reach the caller unchanged', async t => {
  let body = Buffer.alloc(0)
  const gateway = await gatewayFor(t, {
    hasura: response => response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 100 }).map(text => Buffer.from(text)),
    fc.constantFrom(Buffer.from('\ufeff'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xc0, 0x80]), Buffer.from('é😀', 'latin1'))
  )
  await fc.assert(
    fc.asyncProperty(anyBytes, async bytes => {
      body = Buffer.concat([Buffer.from('{"data":"'), bytes, Buffer.from('"}')])
      const answer = await gateway.post({ query: '{ a }' })
      return Buffer.from(await answer.arrayBuffer()).equals(body) && answer.headers.get('content-length') === String(body.length)
    }),
    { numRuns: 300 }
  )
  t.pass('300 bodies')
})

t.test('a large answer reaches a caller that reads slowly unchanged', async t => {
  const numbers = Array.from({ length: 2_000_000 }, (_, n) => 10_000_000 + n)
  const body = JSON.stringify({ data: numbers })
  const gateway = await gatewayFor(t, {
    hasura: response => response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  const answer = await gateway.post({ query: '{ a }' })
  const parts: Uint8Array[] = []
  for await (const part of answer.body ?? []) {
    parts.push(part)
    // Meanwhile the service reads on until the caller's socket takes no more.
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }
  t.ok(Buffer.concat(parts).equals(Buffer.from(body)))
})

/** JSON of this many bytes, in pieces. */
function* jsonOf(size: number) {
  const [start, end] = ['{"data":"', '"}']
  yield start
  for (let left = size - start.length - end.length; left > 0; left -= MEGABYTE) yield 'x'.repeat(Math.min(left, MEGABYTE))
  yield end
}

/** Answers with JSON of this many bytes, as fast as the reader reads. */
async function pour(response: ServerResponse, size: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(size) })
  await pipeline(jsonOf(size), response)
}

const skip = process.platform === 'linux' ? false : 'the peak of memory is read from /proc, which is Linux alone'

t.test('100 MB pass through with less than 64 MB more memory', { skip }, async t => {
  const service = await serviceFor(t, {}, response => void pour(response, 100 * MEGABYTE))
  const memory = (field: string) =>
    Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))?.[1]) / 1024
  const before = memory('VmRSS')
  const answer = await service.post()
  let size = 0
  for await (const chunk of answer.body ?? []) size += chunk.length
  t.equal(size, 100 * MEGABYTE)
  const more = memory('VmHWM') - before
  t.ok(more < 64, `${Math.round(more)} MiB more`)
})
