// When a caller that sends or reads too slowly is cut off; checked once a second.
import t from 'tap'
import { type Look, Pace, type TooSlow } from '../../src/admission/pace.ts'

/** Checks once a second; returns the second of the first verdict, and the verdict. */
function watch(seconds: number, at: (second: number) => Partial<Look>): readonly [second: number, verdict: TooSlow] | undefined {
  const pace = new Pace()
  for (let second = 0; second <= seconds; second++) {
    const look = { nowMs: second * 1000, readBytes: 0, sentBytes: 0, receiving: undefined, isAnswerWaiting: false, ...at(second) }
    const verdict = pace.look(look)
    if (verdict) return [second, verdict]
  }
  return undefined
}

t.test('a caller that sends too slowly is cut off', async t => {
  t.same(
    watch(30, second => ({ receiving: 'body', readBytes: second * 100 })),
    [6, 'the request arrived too slowly'],
    'after the first five seconds 1 KiB is due each second'
  )
  t.same(
    watch(30, () => ({ receiving: 'head' })),
    [6, 'the request arrived too slowly']
  )
  t.same(
    watch(90, second => ({ receiving: 'body', readBytes: second * 10_000 })),
    [61, 'the request arrived too slowly'],
    'a body has a minute, however fast it comes'
  )
})

t.test('a caller that reads too slowly while an answer waits is cut off', async t => {
  t.same(
    watch(30, () => ({ isAnswerWaiting: true })),
    [10, 'the answer was read too slowly']
  )
  t.same(
    watch(30, second => ({ isAnswerWaiting: true, sentBytes: second * 8_000 })),
    [10, 'the answer was read too slowly']
  )
  t.same(
    watch(60, second => ({ isAnswerWaiting: true, sentBytes: Math.min(second, 20) * 100_000 })),
    [30, 'the answer was read too slowly'],
    'a reader that stops is noticed ten seconds later'
  )
})

t.test('a caller that keeps up is left alone', async t => {
  t.equal(
    watch(59, second => ({ receiving: 'body', readBytes: second * 1_024 })),
    undefined
  )
  t.equal(
    watch(300, second => ({ isAnswerWaiting: true, sentBytes: second * 8_192 })),
    undefined
  )
  t.equal(
    watch(300, () => ({})),
    undefined,
    'a connection that lies idle'
  )
  t.equal(
    watch(300, second => ({ receiving: second % 6 === 5 ? undefined : 'body' })),
    undefined,
    'many small requests one after the other'
  )
  t.equal(
    watch(300, second => ({ isAnswerWaiting: second % 10 !== 0 })),
    undefined,
    'many answers one after the other'
  )
})
