// One caller's event stream, with a fake clock and a connection that accepts what the test allows.
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { EventStream, UNSENT_MAX_BYTES } from '../../src/event-stream/event-stream.ts'
import { HELD_MAX_BYTES, Reader } from '../../src/subscriptions/reader.ts'
import { FakeClock } from '../support/fake-clock.ts'

const answer = (text: string) => ({ kind: 'answer', text }) as const
const event = (text: string) => `event: next\ndata: ${text}\n\n`
const COMPLETE = 'event: complete\ndata:\n\n'
const COMMENT = ':\n\n'

/** A stream and its caller; `isReading` decides whether the caller reads at once. */
function open({ keepsAll = false } = {}) {
  const clock = new FakeClock()
  let left = 0
  const reader = new Reader(keepsAll, () => left++)
  const caller = {
    written: [] as string[],
    isReading: true,
    progress: 0,
    end: undefined as 'end' | 'cut' | undefined,
    wasCut: false,
    waiting: [] as (() => void)[],
    fault: undefined as GatewayError | undefined,
    errors: [] as string[],
    left: () => left,
    /** Reads what is waiting. */
    read() {
      caller.isReading = true
      for (const taken of caller.waiting.splice(0)) taken()
    }
  }
  const stream = new EventStream({
    reader,
    clock,
    requestId: 'id',
    sink: {
      write: (text, onTaken) => {
        caller.written.push(text.toString())
        if (caller.isReading) onTaken()
        else caller.waiting.push(onTaken)
      },
      end: () => {
        caller.end ??= 'end'
      },
      cut: () => {
        caller.end ??= 'cut'
        caller.wasCut = true
      },
      progress: () => caller.progress
    },
    check: async () => caller.fault && { kind: 'error', error: caller.fault },
    onError: ({ code }) => caller.errors.push(code)
  })
  stream.start()
  return { clock, reader, stream, caller }
}

t.test('the stream reports the end of rights within 10 s, and sends nothing after that', async t => {
  const { clock, reader, caller } = open()
  await clock.advance(3_000)
  caller.fault = new GatewayError('UNAUTHENTICATED')
  await clock.advance(7_000)
  t.match(caller.written[0], /"code":"UNAUTHENTICATED","requestId":"id"/)
  t.same(caller.written.slice(1), [COMPLETE])
  t.equal(caller.end, 'end')
  t.equal(caller.left(), 1)
  t.same(caller.errors, ['UNAUTHENTICATED'])
  reader.put(answer('1'))
  t.equal(caller.written.length, 2)
})

t.test('a caller that reads nothing for 60 s while something waits is cut', async t => {
  const { clock, reader, caller } = open()
  caller.isReading = false
  reader.put(answer('1'))
  await clock.advance(59_000)
  t.equal(caller.end, undefined)
  await clock.advance(6_000)
  t.equal(caller.end, 'cut')
  t.equal(caller.left(), 1)
  t.equal(clock.timers.size, 0)
})

t.test('a caller that reads slowly is not cut', async t => {
  const { clock, reader, caller } = open()
  caller.isReading = false
  reader.put(answer('1'))
  for (let seconds = 0; seconds < 600; seconds += 50) {
    caller.progress += 1
    await clock.advance(50_000)
  }
  t.equal(caller.end, undefined)
})

t.test('a caller with nothing waiting may be quiet for a day, and gets a comment every 15 s', async t => {
  const { clock, caller } = open()
  await clock.advance(15_000)
  t.same(caller.written, [COMMENT])
  await clock.advance(86_400_000 - 15_000)
  t.equal(caller.written.length, 5_760)
  t.equal(caller.end, undefined)
})

t.test('successive answers all go out while little is waiting; after that, only the latest does', async t => {
  const { reader, caller, stream } = open()
  const large = 'x'.repeat(UNSENT_MAX_BYTES)
  caller.isReading = false
  for (const text of ['1', '2', large, '3', '4']) reader.put(answer(text))
  t.same(caller.written, [event('1'), event('2'), event(large)])
  caller.read()
  t.same(caller.written.slice(3), [event('4')])
  t.equal(stream.events, 4)
})

t.test('no comment is sent while an answer waits', async t => {
  const { clock, reader, caller } = open()
  caller.isReading = false
  reader.put(answer('1'))
  await clock.advance(30_000)
  t.same(caller.written, [event('1')])
})

t.test('a caller of a streaming subscription that is more than 1 MiB behind is cut', async t => {
  const { reader, caller, clock } = open({ keepsAll: true })
  caller.isReading = false
  const half = answer('x'.repeat(HELD_MAX_BYTES / 2))
  for (let n = 0; n < 3; n++) reader.put(half)
  t.equal(caller.end, undefined, 'one is on its way, two are held')
  reader.put(answer('x'))
  t.equal(caller.end, 'cut')
  t.equal(clock.timers.size, 0)
})

t.test('the end follows the held answers', async t => {
  const { reader, caller } = open({ keepsAll: true })
  caller.isReading = false
  const large = 'x'.repeat(UNSENT_MAX_BYTES)
  for (const text of [large, '2']) reader.put(answer(text))
  reader.end({ kind: 'complete' })
  t.same(caller.written, [event(large)])
  caller.read()
  t.same(caller.written, [event(large), event('2'), COMPLETE])
  t.equal(caller.end, 'end')
})

t.test('a break ends the stream without complete, and at once if an answer is being written', async t => {
  const { reader, caller, stream, clock } = open()
  caller.isReading = false
  reader.put(answer('1'))
  reader.end({ kind: 'break' })
  t.same(caller.written, [event('1')])
  t.equal(caller.end, 'end')
  stream.close()
  t.equal(clock.timers.size, 0)
})

for (const [kind, ms] of [
  ['break', 5_000],
  ['complete', 60_000]
] as const)
  t.test(`a caller that does not read the end is cut: ${kind}`, async t => {
    const { reader, caller, clock } = open()
    reader.end({ kind })
    await clock.advance(ms - 1)
    t.equal(caller.wasCut, false)
    await clock.advance(1)
    t.equal(caller.wasCut, true)
  })

t.test('an error is an answer with errors, then complete', async t => {
  const { reader, caller } = open()
  reader.end({ kind: 'error', error: new GatewayError('UPSTREAM_UNREACHABLE') })
  t.match(
    caller.written[0],
    /^event: next\ndata: \{"errors":\[\{"message":".*","extensions":\{"code":"UPSTREAM_UNREACHABLE","requestId":"id"\}\}\]\}\n\n$/
  )
  t.equal(caller.written[1], COMPLETE)
  t.equal(caller.end, 'end')
})

t.test('the stream does not wait for a caller that has left', async t => {
  const { stream, caller, clock, reader } = open()
  stream.close()
  stream.close()
  t.equal(caller.left(), 1)
  t.equal(clock.timers.size, 0)
  reader.put(answer('1'))
  t.same(caller.written, [])
})
