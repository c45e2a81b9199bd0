// node bench/http-fuzz.ts [count] [seed]: runs the differential fuzz of src/http1 against undici, with 100,000 answers by default.
import { fuzzHttp } from '../test/support/http-fuzz.ts'

const count = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? Date.now() & 0x7fffffff)

console.log(`${count} answers, seed ${seed}`)
const { wrong, ...counts } = await fuzzHttp(count, seed, answers => console.log(`${answers} answers`))
console.log({ ...counts, wrong: wrong.length })
for (const each of wrong) console.log(each)
process.exitCode = wrong.length > 0 ? 1 : 0
