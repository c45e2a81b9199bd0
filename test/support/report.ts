// The reporter of `npm test`: reads TAP from standard input, and prints a line for each file, what failed and why, what was skipped, and the counts.
import { createInterface } from 'node:readline'

const PRINTED = [/^\s*not ok /, /^ok /, /^\s+ok .* # (SKIP|TODO)/i, /^\s*Bail out!/, /^# (?!Subtest)/]

let previous = ''
let isInDiagnosis = false
for await (const line of createInterface({ input: process.stdin })) {
  // The diagnosis of a file says only how it was started.
  if (/^\s{6,}---$/.test(line) && /^\s+not ok /.test(previous)) isInDiagnosis = true
  if (isInDiagnosis || PRINTED.some(pattern => pattern.test(line))) console.log(line)
  if (/^\s+\.\.\.$/.test(line)) isInDiagnosis = false
  previous = line
}
