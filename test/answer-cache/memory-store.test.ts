// The memory of cached answers: what the store counts, and little more than their bytes.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { answerKey } from '../../src/answer-cache/answer-key.ts'
import { KeptAnswer } from '../../src/answer-cache/kept-answer.ts'
import { createMemoryStore } from '../../src/answer-cache/memory-store.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const COUNT = 20_000
const SIZE = 1_024

/** The memory in use after garbage collection. */
function usedBytes(): number {
  for (let n = 0; n < 3; n++) collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const keyOf = (n: number) =>
  answerKey({ fingerprint: 'f', operationName: undefined, variables: `{"n":${n}}`, role: undefined, headers: [], takesGzip: false })

/** A store to which this many answers were added. */
function filled(maxBytes: number, count: number) {
  const store = createMemoryStore(maxBytes)
  for (let n = 0; n < count; n++) {
    const body = Buffer.from(`{"data":"${String(n).padEnd(SIZE - '{"data":""}'.length, 'x')}"}`)
    const contentType = ['application/json', 'charset=utf-8'].join('; ')
    store.set(keyOf(n), new KeptAnswer(body, { contentType, isGzip: false }, 60, n))
  }
  return store
}

t.test('20,000 answers of 1 kB take at most 1.3 times their bytes', async t => {
  filled(100_000_000, 100)
  const before = usedBytes()
  const store = filled(100_000_000, COUNT)
  const ratio = (usedBytes() - before) / (COUNT * SIZE)
  t.ok(store.get(keyOf(0)))
  t.ok(ratio <= 1.3, `${ratio}`)
})

t.test('a store stays within its bound, however much is added', async t => {
  const maxBytes = 10_000_000
  const before = usedBytes()
  const store = filled(maxBytes, COUNT)
  t.ok(usedBytes() - before <= maxBytes)
  t.notOk(store.get(keyOf(0)))
  t.ok(store.get(keyOf(COUNT - 1)))
})
