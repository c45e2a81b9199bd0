// The command line of bench/start.ts.
import { parseArgs } from 'node:util'
import { wholeNumber } from './options.ts'

/** The options of one run. */
export type StartOptions = {
  /** How often the start of each place is timed, 1 to 99; default 9. */
  rounds: number
  /** How long the service is idle before its memory is read again, in s, 0 to 3600; default 60. */
  idleSeconds: number
  /** Requests before its memory is read a third time, 0 to 100 million; default 200,000, 0 skips it. */
  requests: number
  /** ID of a process that a container of the image runs; undefined: the image is not measured. */
  container: number | undefined
  /** Whether the table goes into docs/performance.md; default true. */
  write: boolean
}

export const START_USAGE = `node bench/start.ts [options]
  --rounds N        how often each start is timed (9)
  --idle-seconds N  seconds until memory is read again (60)
  --requests N      requests until memory is read a third time (200000; 0 skips it)
  --container PID   also measure the image, by the ID of the process in its container (Linux, as root; deploy/test-image passes it)
  --no-write        do not update docs/performance.md`

/**
 * Reads the command line.
 * @throws {TypeError} or {RangeError} for an unknown option or a number out of range
 */
export function readStartOptions(args: readonly string[]): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      rounds: { type: 'string', default: '9' },
      'idle-seconds': { type: 'string', default: '60' },
      requests: { type: 'string', default: '200000' },
      container: { type: 'string' },
      write: { type: 'boolean', default: true }
    }
  })
  return {
    rounds: wholeNumber('rounds', values.rounds, 1, 99),
    idleSeconds: wholeNumber('idle-seconds', values['idle-seconds'], 0, 3600),
    requests: wholeNumber('requests', values.requests, 0, 100_000_000),
    container: values.container === undefined ? undefined : wholeNumber('container', values.container, 1, 2 ** 31),
    write: values.write
  }
}
