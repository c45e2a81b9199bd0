// Keeps the memory of large answers small: the buffers that hold them are collected as they go through.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** So many bytes go through between two collections. */
export const COLLECT_EVERY_BYTES = 8 * 1024 * 1024

// V8 counts a buffer as a few bytes, and lets some 64 MiB of read ones pile up before it looks for garbage; it offers its
// collector to programs only by this flag.
setFlagsFromString('--expose-gc')
const collect: (options: { type: 'minor' }) => void = runInNewContext('gc')

let throughBytes = 0

/** Notes bytes that went through a stream; now and then this collects young garbage, which takes a fraction of a millisecond. */
export function noteStreamed(bytes: number): void {
  throughBytes += bytes
  if (throughBytes < COLLECT_EVERY_BYTES) return
  throughBytes = 0
  collect({ type: 'minor' })
}
