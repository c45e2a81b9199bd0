// What every benchmark's main has: its command line, a folder, a Cognito, and an end whatever happens.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCognito } from './fakes.ts'
import { stopAll } from './processes.ts'
import { BENCH_DIR } from './tools.ts'

/**
 * Runs a benchmark. Invalid options end the process with exit code 2 and the usage, a failure with 1.
 * @param read reads the options; throws if one is invalid
 */
export async function runMain<T>(read: (args: readonly string[]) => T, usage: string, main: (options: T) => Promise<void>): Promise<void> {
  let options: T
  try {
    options = read(process.argv.slice(2))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  try {
    await main(options)
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
}

/** Lends a folder and the URL of a Cognito; in the end, or at a signal, every process is stopped and the folder removed. */
export async function withScratch(use: (folder: string, cognito: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const cognito = await startCognito()
  const end = async () => {
    await stopAll()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end().finally(() => process.exit(130)))
  try {
    await use(folder, cognito.url)
  } finally {
    await end()
    cognito.close()
  }
}

/** Saves figures for later comparison: `bench/results/<prefix><time>.json`. */
export function saveFigures(prefix: string, figures: unknown): void {
  const folder = join(BENCH_DIR, 'results')
  mkdirSync(folder, { recursive: true })
  const asObjects = (_: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value)
  writeFileSync(join(folder, `${prefix}${new Date().toISOString().replaceAll(':', '-')}.json`), JSON.stringify(figures, asObjects, 2))
}
