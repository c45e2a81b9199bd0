// Where the service is started from: the sources, as with `npm start`, or the image, as in a running container.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { npmStart } from '../test/support/npm-start.ts'
import type { ProcessSpec } from './processes.ts'

/** One place; both commands are run with the same user and environment. */
export type Place = {
  name: string
  /** `node -e …` with the place's own Node.js. */
  bare(script: string): ProcessSpec
  /** The same place with nothing compiled; undefined if that is not possible. */
  fresh?(): Place
  /** A new folder that the service can read: its path there, and here. */
  newFolder(): { there: string; here: string }
  /** The service; `env` goes beyond the place's own environment. */
  service(env: Readonly<Record<string, string>>): ProcessSpec
}

/**
 * The sources of this project.
 * @param folder for files of the starts
 * @param cacheEnv names a compile cache other than the default, which is that of this clone
 */
export function sourcePlace(folder: string, cacheEnv: { NODE_COMPILE_CACHE?: string } = {}): Place {
  const path = { PATH: `${dirname(process.execPath)}:${process.env.PATH}` }
  const spec = (command: string, args: readonly string[], cwd: string, env = {}): ProcessSpec => ({
    ...{ command, args, core: 'service', cwd, output: join(cwd, 'output.log') },
    env: { ...path, ...cacheEnv, ...env }
  })
  const newFolder = () => mkdtempSync(join(folder, 'start-'))
  return {
    name: 'from source',
    fresh() {
      const fresh = mkdtempSync(join(folder, 'fresh-'))
      return sourcePlace(fresh, { NODE_COMPILE_CACHE: join(fresh, 'compiled') })
    },
    bare: script => spec(process.execPath, ['-e', script], newFolder()),
    newFolder() {
      const path = newFolder()
      return { there: path, here: path }
    },
    service(env) {
      const cwd = newFolder()
      return spec(...npmStart(cwd), cwd, env)
    }
  }
}

/**
 * The image: runs a container's command again in the same file system, as the same user, with the same environment.
 * Needs Linux, root and nsenter(1).
 * @param pid the process, as seen from here
 */
export function containerPlace(pid: number, folder: string): Place {
  const listOf = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0').slice(0, -1)
  const command = listOf('cmdline')
  const own = Object.fromEntries(listOf('environ').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const idOf = (name: string) => new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? ''
  const hasOwnPids = readlinkSync(`/proc/${pid}/ns/pid`) !== readlinkSync('/proc/self/ns/pid')
  const enter = [
    '--target',
    String(pid),
    '--mount',
    ...(hasOwnPids ? ['--pid'] : []),
    '--root',
    '--wd',
    '--setuid',
    idOf('Uid'),
    '--setgid',
    idOf('Gid')
  ]
  const spec = (args: readonly string[], env = {}): ProcessSpec => {
    const cwd = mkdtempSync(join(folder, 'image-'))
    return { command: 'nsenter', args: [...enter, ...args], core: 'service', cwd, output: join(cwd, 'output.log'), env: { ...own, ...env } }
  }
  execFileSync('nsenter', [...enter, 'true'], { stdio: ['ignore', 'ignore', 'inherit'] })
  return {
    name: 'image',
    bare: script => spec([command[0] ?? 'node', '-e', script]),
    newFolder() {
      // In memory, because a container's file system may be read-only.
      const root = `/proc/${pid}/root`
      const here = mkdtempSync(`${root}/dev/shm/bench-start-`)
      chmodSync(here, 0o755)
      return { there: here.slice(root.length), here }
    },
    service: env => spec(command, env)
  }
}
