// Garbage collection on demand, for measuring memory.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects garbage now, so that the remaining memory is in use. */
export const collectGarbage: () => void = runInNewContext('gc')
