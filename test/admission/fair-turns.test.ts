// Which request gets the next call to Hasura, which waits, and which is refused.
import fc from 'fast-check'
import t from 'tap'
import { FairTurns } from '../../src/admission/fair-turns.ts'
import { GatewayError } from '../../src/errors.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

const never = new AbortController().signal
const WAIT_MAX_MS = 300

/** Takes turns by name and records their order. */
function queueFor(limits: { atOnce: number; waitingMax: number }) {
  const clock = new FakeClock()
  const turns = new FairTurns(limits, clock)
  const served: string[] = []
  const refused: string[] = []
  /** The callers that have a turn now, in the order in which they got it. */
  const held: string[] = []
  const take = (name: string, caller = name, signal = never) => {
    const turn = turns.tryTake(caller) ? Promise.resolve() : turns.wait(caller, WAIT_MAX_MS, signal)
    turn.then(
      () => {
        held.push(caller)
        served.push(name)
      },
      (error: unknown) => refused.push(error instanceof GatewayError ? `${name} ${error.code}` : `${name} left`)
    )
  }
  const release = async () => {
    await settle()
    turns.release(held.shift() ?? '')
    await settle()
  }
  return { clock, turns, served, refused, held, take, release }
}

t.test('the caller with the most waiting requests is refused, not the newest one', async t => {
  const { turns, served, refused, take, release } = queueFor({ atOnce: 1, waitingMax: 3 })
  for (const name of ['a0', 'a1', 'a2', 'a3']) take(name, 'a')
  await settle()
  t.same(served, ['a0'])
  take('a4', 'a')
  take('b1', 'b')
  await settle()
  t.same(refused, ['a4 OVERLOADED', 'a3 OVERLOADED'])
  for (const _ of [1, 2, 3]) await release()
  t.same(served, ['a0', 'a1', 'b1', 'a2'])
  t.equal(turns.waitingCount, 0)
})

t.test('no request waits if the queue has no room', async t => {
  const { refused, take } = queueFor({ atOnce: 1, waitingMax: 0 })
  take('first')
  take('second')
  await settle()
  t.same(refused, ['second OVERLOADED'])
})

t.test('a request that gets no turn in time is refused, and a request that got one is not', async t => {
  const { clock, turns, served, refused, take, release } = queueFor({ atOnce: 1, waitingMax: 2 })
  take('first')
  take('second')
  take('third')
  await release()
  t.equal(clock.timers.size, 1, 'only the third still waits')
  await clock.advance(WAIT_MAX_MS - 1)
  t.same(refused, [])
  await clock.advance(1)
  t.same(refused, ['third UPSTREAM_TIMEOUT'])
  t.same(served, ['first', 'second'])
  t.equal(turns.waitingCount, 0)
})

t.test('a request leaves the queue when its caller disconnects', async t => {
  const { served, refused, take, release } = queueFor({ atOnce: 1, waitingMax: 1 })
  const caller = new AbortController()
  take('first')
  take('leaves', 'x', caller.signal)
  caller.abort()
  take('stays', 'y')
  await release()
  t.same(refused, ['leaves left'])
  t.same(served, ['first', 'stays'])
})

t.test('a request whose caller has already disconnected does not wait', async t => {
  const { turns, refused, take } = queueFor({ atOnce: 1, waitingMax: 1 })
  take('first')
  take('gone', 'gone', AbortSignal.abort())
  await settle()
  t.same(refused, ['gone left'])
  t.equal(turns.waitingCount, 0)
})

t.test('callers take turns, and the requests of each run in order', async t => {
  const { served, take, release } = queueFor({ atOnce: 1, waitingMax: 100 })
  for (const name of ['a0', 'a1', 'a2', 'a3']) take(name, 'a')
  take('b1', 'b')
  take('c1', 'c')
  take('b2', 'b')
  for (let n = 0; n < 6; n++) await release()
  t.same(served, ['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})

t.test('no caller holds every turn if there are eight or more', async t => {
  const { turns, served, take, release } = queueFor({ atOnce: 8, waitingMax: 100 })
  for (let n = 0; n < 9; n++) take(`a${n}`, 'a')
  await settle()
  t.equal(served.length, 7)
  take('b0', 'b')
  await settle()
  t.equal(served.at(-1), 'b0', 'the eighth is for another')
  take('b1', 'b')
  await release()
  t.equal(served.at(-1), 'a7', 'the turn that a gave back goes to the next in the queue')
  t.equal(turns.waitingCount, 2)
})

t.test('in any sequence, bounds hold, every request ends once, and the requests of a caller stay in order', async () => {
  const step = fc.record({ caller: fc.constantFrom('a', 'b', 'c'), does: fc.constantFrom('take', 'take', 'release', 'leave') })
  const limits = fc.record({ atOnce: fc.integer({ min: 1, max: 3 }), waitingMax: fc.integer({ min: 0, max: 5 }) })
  const run = async (steps: { caller: string; does: string }[], { atOnce, waitingMax }: { atOnce: number; waitingMax: number }) => {
    const { turns, served, refused, held, take, release } = queueFor({ atOnce, waitingMax })
    const signals: AbortController[] = []
    let taken = 0
    for (const { caller, does } of steps) {
      if (does === 'take') {
        const controller = new AbortController()
        signals.push(controller)
        take(`${caller}${taken++}`, caller, controller.signal)
        await settle()
      } else if (does === 'leave') signals.shift()?.abort()
      else if (held.length > 0) await release()
      if (held.length > atOnce || turns.waitingCount > waitingMax) return false
      if (turns.waitingCount > 0 && held.length < atOnce) return false
    }
    while (held.length > 0) await release()
    const inOrder = ['a', 'b', 'c'].every(caller => {
      const numbers = served.filter(name => name.startsWith(caller)).map(name => Number(name.slice(1)))
      return numbers.every((number, n) => n === 0 || number > (numbers[n - 1] ?? 0))
    })
    return inOrder && served.length + refused.length === taken && turns.waitingCount === 0
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, run), { numRuns: 200 })
})
