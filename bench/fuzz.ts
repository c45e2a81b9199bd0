// node bench/fuzz.ts [count] [seed]: runs the fuzz test with `count` requests, one million by default.
import { fuzz, type Tally } from '../test/support/fuzz-run.ts'

const count = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? Date.now() & 0x7fffffff)
/** Requests between progress lines. */
const PROGRESS_EVERY = 50_000

const startedAtMs = performance.now()
const seconds = () => ((performance.now() - startedAtMs) / 1000).toFixed(0)
let told = 0

const tell = ({ requests }: Tally) => {
  if (requests - told < PROGRESS_EVERY) return
  told = requests
  console.log(`${requests} after ${seconds()} s, ${Math.round(process.memoryUsage().rss / 1e6)} MB`)
}

console.log(`${count} requests, seed ${seed}`)
const { statuses, codes, ...counts } = await fuzz(count, seed, tell)
const sorted = <K>(map: Map<K, number>) => Object.fromEntries([...map].sort(([, a], [, b]) => b - a))
console.log({
  ...counts,
  statuses: sorted(statuses),
  codes: sorted(codes),
  seconds: Number(seconds()),
  rssMb: Math.round(process.memoryUsage().rss / 1e6)
})
