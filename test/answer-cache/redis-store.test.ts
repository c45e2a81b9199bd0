// A real Redis that is slow, full, restarted or full of garbage causes misses and nothing else.
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { KeptAnswer } from '../../src/answer-cache/kept-answer.ts'
import { createRedisStore, type RedisStore } from '../../src/answer-cache/redis-store.ts'
import { systemClock } from '../../src/clock.ts'
import { freePort } from '../support/free-port.ts'
import { hasRedis, startRedis } from '../support/redis.ts'

const PREFIX = 'answers:'
const skip = hasRedis ? false : 'redis-server is not installed'
const kept = (text = '{"data":"é"}', ttlSeconds = 60, isGzip = false) =>
  new KeptAnswer(Buffer.from(text), { contentType: 'application/json', isGzip }, ttlSeconds, systemClock.nowMs())

/** A store, and what it reports about its Redis. */
async function storeFor(t: Test, url: string) {
  const faults: (string | undefined)[] = []
  let tell = () => {}
  const store = await createRedisStore({
    url,
    prefix: PREFIX,
    clock: systemClock,
    onChange: fault => {
      faults.push(fault)
      tell()
    }
  })
  t.teardown(() => store.close())
  const says = async (isWanted: (fault: string | undefined) => boolean) => {
    while (faults.length === 0 || !isWanted(faults.at(-1)))
      await new Promise<void>(resolve => {
        tell = resolve
      })
  }
  return { store, faults, says }
}

/** Resolves once an answer is there; the store does not signal when it has written one. */
async function untilKept(store: RedisStore, key: string): Promise<KeptAnswer> {
  for (;;) {
    const answer = await store.get(key)
    if (answer) return answer
  }
}

async function redisFor(t: Test) {
  const port = await freePort()
  const redis = await startRedis(port)
  t.teardown(() => redis.stop())
  const admin = new Redis(redis.url)
  admin.on('error', () => {})
  t.teardown(() => admin.disconnect())
  return { ...redis, port, admin }
}

t.test('without Redis, every lookup is a miss at once, and the failure is reported once', async t => {
  const port = await freePort()
  const { store, faults, says } = await storeFor(t, `redis://127.0.0.1:${port}`)
  await says(fault => fault !== undefined)
  for (let n = 0; n < 3; n++) {
    t.equal(await store.get('k'), undefined)
    store.set('k', kept())
  }
  t.strictSame(faults, ['ECONNREFUSED'])
})

t.test('a server that is not Redis, or that stays silent, is a miss', async t => {
  for (const greeting of ['HTTP/1.1 400 Bad Request\r\n\r\n', '']) {
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', () => greeting && socket.write(greeting))
    }).listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const { store } = await storeFor(t, `redis://127.0.0.1:${port}`)
    t.equal(await store.get('k'), undefined, greeting)
    store.close()
  }
})

t.test('an answer comes back byte for byte, with its age', { skip }, async t => {
  const { url, admin } = await redisFor(t)
  const { store, says } = await storeFor(t, url)
  await says(fault => fault === undefined)
  for (const isGzip of [false, true]) {
    const bytes = Buffer.from([0, 10, 13, 127, 128, 255, 123])
    const answer = new KeptAnswer(bytes, { contentType: 'application/json; charset=utf-8', isGzip }, 60, systemClock.nowMs())
    store.set(`k${isGzip}`, answer)
    const found = await untilKept(store, `k${isGzip}`)
    t.same(found.body, bytes)
    t.match(found, { contentType: 'application/json; charset=utf-8', isGzip, ttlSeconds: 60, etag: answer.etag })
  }
  await admin.pexpire(`${PREFIX}ktrue`, 20_500)
  const aged = await store.get('ktrue')
  t.ok([39, 40].includes(aged?.ageSeconds(systemClock.nowMs()) ?? 0), 'Redis knows how old it is')
})

t.test('garbage under its keys is a miss', { skip }, async t => {
  const { url, admin } = await redisFor(t)
  const { store, says } = await storeFor(t, url)
  await says(fault => fault === undefined)
  store.set('good', kept())
  await untilKept(store, 'good')
  const good = (await admin.getBuffer(`${PREFIX}good`)) ?? Buffer.alloc(0)
  const rubbish: [string, Buffer | string][] = [
    ['nothing', ''],
    ['text', 'rubbish'],
    ['a line break', '\n'],
    ['cut short', good.subarray(0, -1)],
    ['longer', Buffer.concat([good, Buffer.from('x')])],
    ['a bit flipped', Buffer.concat([good.subarray(0, -2), Buffer.from('x'), good.subarray(-1)])],
    ['another version', Buffer.concat([Buffer.from('2'), good.subarray(1)])],
    ['much', Buffer.alloc(2_000_000, 0xff)]
  ]
  /** The stored value, read while the connection works. */
  const read = async () => {
    for (;;) {
      const [bad, sound] = await Promise.all([store.get('bad'), store.get('good')])
      if (sound) return bad
    }
  }
  for (const [title, bytes] of rubbish) {
    await admin.set(`${PREFIX}bad`, bytes, 'EX', 60)
    t.equal(await read(), undefined, title)
  }
  await admin.set(`${PREFIX}bad`, good)
  t.equal(await read(), undefined, 'without an end')
  await admin.set(`${PREFIX}bad`, good, 'EX', 61)
  t.equal(await read(), undefined, 'longer than it may live')
  await admin.del(`${PREFIX}bad`)
  await admin.lpush(`${PREFIX}bad`, 'a list')
  t.equal(await read(), undefined, 'a list')
  await admin.del(`${PREFIX}bad`)
  await admin.set(`${PREFIX}bad`, good, 'EX', 60)
  t.ok(await read(), 'and the same bytes as they were written are an answer')
})

t.test('a slow Redis is a miss, and is used again after it recovers', { skip }, async t => {
  const { url, admin } = await redisFor(t)
  const { store, says } = await storeFor(t, url)
  await says(fault => fault === undefined)
  store.set('k', kept())
  await untilKept(store, 'k')
  await admin.call('CLIENT', 'PAUSE', '1000', 'ALL')
  t.equal(await store.get('k'), undefined)
  await says(fault => fault === 'slow')
  await says(fault => fault === undefined)
  t.equal((await untilKept(store, 'k')).body.toString(), '{"data":"é"}')
})

t.test('a full Redis stores nothing more and still returns what it has', { skip }, async t => {
  const { url, admin } = await redisFor(t)
  const { store, says, faults } = await storeFor(t, url)
  await says(fault => fault === undefined)
  store.set('old', kept())
  await untilKept(store, 'old')
  await admin.config('SET', 'maxmemory-policy', 'noeviction')
  await admin.config('SET', 'maxmemory', '1')
  store.set('new', kept())
  await says(fault => fault === 'OOM')
  t.equal(await store.get('new'), undefined)
  t.ok(await untilKept(store, 'old'))
  t.equal(faults.at(-1), 'OOM')
})

t.test('a Redis that goes away is a miss at once, and is used again when it comes back', { skip }, async t => {
  const port = await freePort()
  const first = await startRedis(port)
  const { store, says } = await storeFor(t, first.url)
  await says(fault => fault === undefined)
  store.set('k', kept())
  await untilKept(store, 'k')
  await first.stop()
  t.equal(await store.get('k'), undefined)
  await says(fault => fault !== undefined)
  const second = await startRedis(port)
  t.teardown(() => second.stop())
  await says(fault => fault === undefined)
  t.equal(await store.get('k'), undefined, 'it has lost all')
  store.set('k', kept())
  t.ok(await untilKept(store, 'k'))
})
