import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createTurnBatch } from '../src/turn-batch.ts'

t.test('items of one turn are handed on after it, all of them, in their order', async t => {
  const handled: number[] = []
  const add = createTurnBatch<number>(item => void handled.push(item))
  add(1)
  add(2)
  await null
  add(3)
  t.same(handled, [], 'nothing within the turn')
  await nextTurn()
  t.same(handled, [1, 2, 3])
})

t.test('what is added while items are handled waits for the next turn', async t => {
  const handled: number[] = []
  const add = createTurnBatch<number>(item => {
    handled.push(item)
    if (item < 3) add(item + 1)
  })
  add(1)
  await nextTurn()
  t.same(handled, [1])
  await nextTurn()
  t.same(handled, [1, 2])
  await nextTurn()
  t.same(handled, [1, 2, 3])
})

t.test('with process.nextTick items are handed on within the turn, after what is under way', async t => {
  const handled: number[] = []
  const add = createTurnBatch<number>(item => void handled.push(item), process.nextTick)
  const turn = nextTurn()
  process.nextTick(add, 1)
  process.nextTick(add, 2)
  process.nextTick(() => t.same(handled, [], 'not before all of them are in'))
  await turn
  t.same(handled, [1, 2])
})
