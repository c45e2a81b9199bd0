// The command line of a benchmark.

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
