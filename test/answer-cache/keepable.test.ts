// Which answers may be cached, and reading a large one to its end.
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { KEPT_MAX_BYTES, readKeepable } from '../../src/answer-cache/keepable.ts'

const answerOf = (body: string | Buffer, headers: Record<string, string> = {}, status = 200) => ({
  status,
  headers: new Map(Object.entries(headers)),
  head: Buffer.from(body)
})

/** An object with `data`, of this many bytes. */
const dataOf = (bytes: number) => `{"data":"${'x'.repeat(bytes - '{"data":""}'.length)}"}`

t.test('an answer with anything but data is not cached', async t => {
  for (const body of [
    '',
    '{}',
    '[]',
    '"data"',
    'null',
    '{"data":1',
    '{"data":{}}x',
    '{"errors":[]}',
    '{"data":{},"errors":[]}',
    '{"a":{"data":1}}'
  ])
    t.equal(await readKeepable(answerOf(body)), undefined, body)
  for (const status of [201, 204, 400, 500]) t.equal(await readKeepable(answerOf('{"data":{}}', {}, status)), undefined)
  for (const coding of ['br', 'deflate', 'gzip, gzip'])
    t.equal(await readKeepable(answerOf('{"data":{}}', { 'content-encoding': coding })), undefined, coding)
  t.equal(await readKeepable(answerOf('{"data":{}}', { 'content-encoding': 'gzip' })), undefined, 'not gzip at all')
})

t.test('an answer with only data is cached byte for byte, compressed or not', async t => {
  for (const body of ['{"data":{"n":9007199254740993}}', ' {"a":1, "data" : null }\n', '{"extensions":{},"data":"é"}']) {
    t.equal((await readKeepable(answerOf(body)))?.toString(), body)
    const packed = gzipSync(body)
    t.same(await readKeepable(answerOf(packed, { 'content-encoding': 'gzip' })), packed)
  }
})

t.test('1 MiB is cached and one byte more is not, even if it is compressed', async t => {
  const gzip = { 'content-encoding': 'gzip' }
  t.ok(await readKeepable(answerOf(dataOf(KEPT_MAX_BYTES))))
  t.notOk(await readKeepable(answerOf(dataOf(KEPT_MAX_BYTES + 1))))
  t.ok(await readKeepable(answerOf(gzipSync(dataOf(KEPT_MAX_BYTES)), gzip)))
  t.notOk(await readKeepable(answerOf(gzipSync(dataOf(KEPT_MAX_BYTES + 1)), gzip)), 'little that unfolds to much')
})

t.test('a stream is read to its end, and is replayed if it is too large', async t => {
  const chunksOf = (text: string) => text.match(/.{1,50000}/gs)?.map(chunk => Buffer.from(chunk)) ?? []
  for (const size of [KEPT_MAX_BYTES, KEPT_MAX_BYTES + 1, 3 * KEPT_MAX_BYTES]) {
    const text = dataOf(size)
    const stream = Readable.from(chunksOf(text), { objectMode: false })
    const kept = await readKeepable({ ...answerOf(text.slice(0, 40_000)), stream })
    if (size === KEPT_MAX_BYTES) t.equal(kept?.toString(), text)
    else {
      t.equal(kept, undefined)
      t.ok((await buffer(stream)).equals(Buffer.from(text)), 'nothing of it is lost')
    }
  }
})

t.test('a stream that announces too large a length is not read', async t => {
  const stream = Readable.from(['x'], { objectMode: false })
  t.equal(await readKeepable({ ...answerOf('{', { 'content-length': '1048577' }), stream }), undefined)
  t.equal(stream.readableDidRead, false)
})

t.test('a stream that breaks off fails with its error', async t => {
  const broken = new Error('broken')
  const stream = new Readable({
    read() {
      this.push('{"data":')
      this.destroy(broken)
    }
  })
  await t.rejects(readKeepable({ ...answerOf('{'), stream }), broken)
})
