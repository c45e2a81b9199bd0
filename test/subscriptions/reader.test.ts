// What the service holds for a slow reader.
import t from 'tap'
import { HELD_MAX_BYTES, Reader } from '../../src/subscriptions/reader.ts'

const answer = (text: string) => ({ kind: 'answer', text }) as const
const nobody = () => {}

t.test('a slow reader of a live query gets the latest answer, and those in between are dropped', async t => {
  const reader = new Reader(false, nobody)
  for (const text of ['1', '2', '3']) reader.put(answer(text))
  t.same(reader.take(), answer('3'))
  t.equal(reader.take(), undefined)
})

t.test('an answer that equals the last one delivered is skipped', async t => {
  const reader = new Reader(false, nobody)
  reader.put(answer('1'))
  reader.take()
  reader.put(answer('2'))
  reader.put(answer('1'))
  t.equal(reader.take(), undefined)
  reader.put(answer('2'))
  t.same(reader.take(), answer('2'))
})

t.test('every answer of a streaming subscription is kept, even equal ones', async t => {
  const reader = new Reader(true, nobody)
  for (const text of ['1', '1', '2']) reader.put(answer(text))
  t.same([reader.take(), reader.take(), reader.take(), reader.take()], [answer('1'), answer('1'), answer('2'), undefined])
})

t.test('a reader of a streaming subscription is cut when more than 1 MiB is held for it', async t => {
  const gone: Reader[] = []
  const reader = new Reader(true, left => gone.push(left))
  const half = answer('x'.repeat(HELD_MAX_BYTES / 2))
  reader.put(half)
  reader.put(half)
  t.same(reader.take(), half)
  reader.put(half)
  t.equal(gone.length, 0, 'a delivered answer is no longer held')
  reader.put(answer('x'))
  t.same(gone, [reader])
  t.equal(reader.isCut, true)
  t.same(reader.take(), { kind: 'break' })
})

t.test('one answer is passed on whatever its size', async t => {
  const reader = new Reader(true, nobody)
  const large = answer('x'.repeat(HELD_MAX_BYTES + 1))
  reader.put(large)
  t.same(reader.take(), large)
})

t.test('the end follows the held answers, and remains', async t => {
  const reader = new Reader(false, nobody)
  let ready = 0
  reader.onReady = () => ready++
  reader.put(answer('1'))
  reader.end({ kind: 'complete' })
  reader.put(answer('2'))
  reader.end({ kind: 'break' })
  t.same([reader.take(), reader.take(), reader.take()], [answer('1'), { kind: 'complete' }, { kind: 'complete' }])
  t.equal(ready, 2)
})

t.test('a reader that leaves is reported once, and not after the end', async t => {
  let left = 0
  const reader = new Reader(false, () => left++)
  reader.leave()
  reader.leave()
  t.equal(left, 1)
  const ended = new Reader(false, () => left++)
  ended.end({ kind: 'complete' })
  ended.leave()
  t.equal(left, 1)
})
