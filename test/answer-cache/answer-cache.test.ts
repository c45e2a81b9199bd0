// The cache between callers and the upstream: what is cached, for how long, and which request goes to the upstream.
import t from 'tap'
import { AnswerCache, type CacheOutcome, type Question } from '../../src/answer-cache/answer-cache.ts'
import type { UpstreamAnswer } from '../../src/answer-cache/keepable.ts'
import { createMemoryStore } from '../../src/answer-cache/memory-store.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

const DATA = '{"data":{"a":1}}'
const WAIT_MS = 30_000

/** A cache whose upstream the test answers by hand. */
function setUp(maxBytes = 1_000_000) {
  const clock = new FakeClock()
  const outcomes: CacheOutcome[] = []
  const cache = new AnswerCache({
    memory: createMemoryStore(maxBytes),
    clock,
    waitMs: WAIT_MS,
    onOutcome: outcome => outcomes.push(outcome)
  })
  const asked: { answer(body: string, status?: number): void; fail(error: Error): void }[] = []
  const ask = () =>
    new Promise<UpstreamAnswer>((resolve, reject) => {
      asked.push({
        answer: (body, status = 200) => resolve({ status, headers: new Map(), head: Buffer.from(body) }),
        fail: reject
      })
    })
  const give = (question: Partial<Question<UpstreamAnswer>> = {}) =>
    cache.give({ key: 'k', ttlSeconds: 60, refresh: false, signal: new AbortController().signal, ask, ...question })
  /** Asks, and lets the upstream answer at once. */
  const fill = async (body = DATA, question: Partial<Question<UpstreamAnswer>> = {}) => {
    const given = give(question)
    await settle()
    asked.at(-1)?.answer(body)
    return given
  }
  return { clock, outcomes, asked, give, fill }
}

const bodyOf = (given: Awaited<ReturnType<ReturnType<typeof setUp>['give']>>) =>
  given.kind === 'passed' ? given.answer.head.toString() : given.kept.body.toString()

t.test('if the answer cannot be cached, each waiting request asks the upstream', async t => {
  const { give, asked, outcomes } = setUp()
  const all = [give(), give(), give()]
  await settle()
  t.equal(asked.length, 1)
  asked[0]?.answer('{"errors":[{"message":"no"}]}')
  await settle()
  t.equal(asked.length, 3)
  for (const each of asked) each.answer(DATA)
  t.strictSame((await Promise.all(all)).map(bodyOf), ['{"errors":[{"message":"no"}]}', DATA, DATA])
  t.strictSame(outcomes, ['miss', 'miss', 'miss'])
})

t.test('if the call fails, each waiting request asks the upstream', async t => {
  const { give, asked } = setUp()
  const all = [give(), give()]
  await settle()
  asked[0]?.fail(new Error('down'))
  await t.rejects(Promise.resolve(all[0]), { message: 'down' })
  await settle()
  asked[1]?.answer(DATA)
  t.equal((await all[1])?.kind, 'passed')
})

t.test('if the asking caller leaves, one waiting request asks for all', async t => {
  const { give, asked } = setUp()
  const caller = new AbortController()
  const left = give({ signal: caller.signal })
  const all = [give(), give(), give()]
  await settle()
  caller.abort()
  asked[0]?.fail(new Error('cancelled'))
  await t.rejects(left)
  await settle()
  t.equal(asked.length, 2)
  asked[1]?.answer(DATA)
  t.strictSame((await Promise.all(all)).map(({ kind }) => kind).sort(), ['hit', 'hit', 'stored'])
})

t.test('a caller that leaves while waiting does not ask', async t => {
  const { give, asked } = setUp()
  const caller = new AbortController()
  const first = give()
  const left = give({ signal: caller.signal })
  await settle()
  caller.abort()
  asked[0]?.answer('{"errors":[]}')
  await first
  await t.rejects(left, { name: 'AbortError' })
  t.equal(asked.length, 1)
})

t.test('no request waits longer than a call to the upstream may take', async t => {
  const { give, asked, clock } = setUp()
  void give()
  const waiting = t.rejects(give(), { code: 'UPSTREAM_TIMEOUT' })
  await settle()
  await clock.advance(WAIT_MS)
  await waiting
  t.equal(asked.length, 1)
})

t.test('equal requests wait for one answer, and others do not', async t => {
  const { give, asked, outcomes } = setUp()
  const all = [give(), give(), give({ key: 'other' })]
  await settle()
  t.equal(asked.length, 2)
  asked[0]?.answer(DATA)
  asked[1]?.answer('{"data":2}')
  t.strictSame((await Promise.all(all)).map(bodyOf), [DATA, DATA, '{"data":2}'])
  t.strictSame(outcomes.sort(), ['hit', 'miss', 'miss', 'stored', 'stored'])
})

t.test('an answer is reused until its lifetime ends, and no longer', async t => {
  for (const [afterMs, isHit, left] of [
    [0, true, 60],
    [999, true, 60],
    [1_000, true, 59],
    [59_999, true, 1],
    [60_000, false, 0]
  ] as const) {
    const { fill, give, clock, asked } = setUp()
    t.equal((await fill()).kind, 'stored')
    await clock.advance(afterMs)
    const again = give()
    await settle()
    if (!isHit) asked[1]?.answer(DATA)
    const given = await again
    t.equal(given.kind, isHit ? 'hit' : 'stored', `${afterMs}`)
    if (given.kind === 'hit') t.equal(given.kept.leftSeconds(clock.nowMs(), 60), left, `${afterMs}`)
  }
})

t.test('a request with a shorter ttl gets a new answer, and the others keep the cached one', async t => {
  const { fill, give, clock, asked } = setUp()
  await fill(DATA, { ttlSeconds: 3_600 })
  await clock.advance(10_000)
  t.equal((await give({ ttlSeconds: 11 })).kind, 'hit')
  t.equal((await fill('{"data":2}', { ttlSeconds: 10 })).kind, 'stored')
  t.equal(asked.length, 2)
  t.equal(bodyOf(await give({ ttlSeconds: 3_600 })), '{"data":2}')
})

t.test('a refresh asks the upstream, and its answer stays even if an older request is answered later', async t => {
  const { give, asked, outcomes } = setUp()
  const older = give()
  await settle()
  const refreshed = give({ refresh: true })
  await settle()
  t.equal(asked.length, 2)
  asked[1]?.answer('{"data":"new"}')
  t.equal(bodyOf(await refreshed), '{"data":"new"}')
  asked[0]?.answer('{"data":"old"}')
  t.equal(bodyOf(await older), '{"data":"old"}')
  t.equal(bodyOf(await give()), '{"data":"new"}')
  t.strictSame(outcomes, ['bypass', 'stored', 'miss', 'stored', 'hit'])
})

t.test('the least recently used answer is evicted first', async t => {
  const { fill, give, asked } = setUp(3 * 1_400)
  const body = `{"data":"${'x'.repeat(1_000)}"}`
  for (const key of ['a', 'b', 'c']) await fill(body, { key })
  await give({ key: 'a' })
  await fill(body, { key: 'd' })
  const before = asked.length
  for (const key of ['a', 'c', 'd']) t.equal((await give({ key })).kind, 'hit', key)
  t.equal(asked.length, before)
  t.equal((await fill(body, { key: 'b' })).kind, 'stored')
})
