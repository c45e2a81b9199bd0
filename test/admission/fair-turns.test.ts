// Who gets the next call of Hasura, who waits, and who is refused.
import fc from 'fast-check'
import t from 'tap'
import { FairTurns } from '../../src/admission/fair-turns.ts'
import { GatewayError } from '../../src/errors.ts'
import { settle } from '../support/fake-clock.ts'

const never = new AbortController().signal

/** Takes turns by name and notes in which order they come. */
function queueFor(limits: { atOnce: number; waitingMax: number }) {
  const turns = new FairTurns(limits)
  const served: string[] = []
  const refused: string[] = []
  const take = (name: string, caller = name, signal = never) => {
    const turn = turns.tryTake() ? Promise.resolve() : turns.wait(caller, signal)
    turn.then(
      () => served.push(name),
      (error: unknown) => refused.push(error instanceof GatewayError ? `${name} ${error.code}` : `${name} left`)
    )
  }
  return { turns, served, refused, take }
}

t.test('whoever has most requests waiting is refused, not the newcomer', async t => {
  const { turns, served, refused, take } = queueFor({ atOnce: 1, waitingMax: 3 })
  for (const name of ['a0', 'a1', 'a2', 'a3']) take(name, 'a')
  await settle()
  t.same(served, ['a0'])
  take('a4', 'a')
  take('b1', 'b')
  await settle()
  t.same(refused, ['a4 OVERLOADED', 'a3 OVERLOADED'])
  for (const _ of [1, 2, 3]) turns.release()
  await settle()
  t.same(served, ['a0', 'a1', 'b1', 'a2'])
  t.equal(turns.waitingCount, 0)
})

t.test('nobody waits where none may', async t => {
  const { refused, take } = queueFor({ atOnce: 1, waitingMax: 0 })
  take('first')
  take('second')
  await settle()
  t.same(refused, ['second OVERLOADED'])
})

t.test('a request whose caller leaves gives up its place', async t => {
  const { turns, served, refused, take } = queueFor({ atOnce: 1, waitingMax: 1 })
  const caller = new AbortController()
  take('first')
  take('leaves', 'x', caller.signal)
  caller.abort()
  take('stays', 'y')
  turns.release()
  await settle()
  t.same(refused, ['leaves left'])
  t.same(served, ['first', 'stays'])
})

t.test('a request whose caller has left before does not wait', async t => {
  const { turns, refused, take } = queueFor({ atOnce: 1, waitingMax: 1 })
  take('first')
  take('gone', 'gone', AbortSignal.abort())
  await settle()
  t.same(refused, ['gone left'])
  t.equal(turns.waitingCount, 0)
})

t.test('callers take turns, each with its requests in their order', async t => {
  const { turns, served, take } = queueFor({ atOnce: 1, waitingMax: 100 })
  for (const name of ['a0', 'a1', 'a2', 'a3']) take(name, 'a')
  take('b1', 'b')
  take('c1', 'c')
  take('b2', 'b')
  for (let n = 0; n < 6; n++) turns.release()
  await settle()
  t.same(served, ['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})

t.test('whatever happens: bounds hold, every request has one end, and no caller overtakes itself', async () => {
  const step = fc.record({ caller: fc.constantFrom('a', 'b', 'c'), does: fc.constantFrom('take', 'take', 'release', 'leave') })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 5 }),
      async (steps, atOnce, waitingMax) => {
        const { turns, served, refused, take } = queueFor({ atOnce, waitingMax })
        const signals: AbortController[] = []
        let taken = 0
        let released = 0
        for (const { caller, does } of steps) {
          if (does === 'take') {
            const controller = new AbortController()
            signals.push(controller)
            take(`${caller}${taken++}`, caller, controller.signal)
          } else if (does === 'leave') signals.shift()?.abort()
          else if (served.length > released) {
            released += 1
            turns.release()
          }
          await settle()
          if (served.length - released > atOnce || turns.waitingCount > waitingMax) return false
          if (turns.waitingCount > 0 && served.length - released < atOnce) return false
        }
        while (served.length > released) {
          released += 1
          turns.release()
          await settle()
        }
        const inOrder = ['a', 'b', 'c'].every(caller => {
          const numbers = served.filter(name => name.startsWith(caller)).map(name => Number(name.slice(1)))
          return numbers.every((number, n) => n === 0 || number > (numbers[n - 1] ?? 0))
        })
        return inOrder && served.length + refused.length === taken && turns.waitingCount === 0
      }
    ),
    { numRuns: 200 }
  )
})
