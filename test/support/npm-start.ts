// What `npm start` runs, in a folder without a `.env`.
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Command and arguments of package.json's `start`, to be run with Node first on the path; the service replaces the shell.
 * @param folder an empty folder, in which to run it
 */
export function npmStart(folder: string): [command: string, args: string[]] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }
  symlinkSync(join(ROOT, 'src'), join(folder, 'src'))
  return ['sh', ['-c', scripts.start]]
}
