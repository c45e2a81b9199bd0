// The command line of the benchmark.
import { parseArgs } from 'node:util'

/** The options of one benchmark run. */
export type BenchOptions = {
  /** Names of the contenders to measure; undefined means all. */
  only: readonly string[] | undefined
  /** Duration of each measured load, in s, 1 to 600; default 8. */
  seconds: number
  /** Duration of the warm-up before each measured load, in s, 0 to 600; default 3. */
  warmUpSeconds: number
  /** How often each contender is measured, 1 to 99; default 3. */
  rounds: number
  /** Whether the second table is measured; default true. */
  details: boolean
  /** Whether the report is written; default true. */
  write: boolean
}

export const USAGE = `node bench/run.ts [options]
  --only a,b    measure only these contenders: ours, floor, http-proxy, hive, fetch-parse, flask, nginx
  --seconds N   seconds of each measured load (8)
  --warm-up N   seconds of warm-up before each measured load (3)
  --rounds N    how often each contender is measured (3)
  --no-details  skip the second table
  --no-write    do not update docs/performance.md and docs/performance.svg`

/**
 * Reads the command line.
 * @throws {TypeError} or {RangeError} for an unknown option or a number out of range
 */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      only: { type: 'string' },
      seconds: { type: 'string', default: '8' },
      'warm-up': { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
      details: { type: 'boolean', default: true },
      write: { type: 'boolean', default: true }
    }
  })
  return {
    only: values.only?.split(',').map(name => name.trim()),
    seconds: wholeNumber('seconds', values.seconds, 1, 600),
    warmUpSeconds: wholeNumber('warm-up', values['warm-up'], 0, 600),
    rounds: wholeNumber('rounds', values.rounds, 1, 99),
    details: values.details,
    write: values.write
  }
}

/**
 * Reads a number of an option.
 * @throws {RangeError} if it is out of this range
 */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(`--${name} must be a whole number from ${min} to ${max}`)
  return value
}
