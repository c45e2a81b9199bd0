// Modules of a process by origin, as test/support/record-modules.js writes them.
import { fileURLToPath } from 'node:url'

const ROOT_URL = new URL('../../', import.meta.url).href

/** Loaded modules, sorted by name. */
export type LoadedModules = {
  /** The total number. */
  total: number
  /** Files of the service, relative to the root of the project. */
  files: string[]
  /** The number of modules of each package. */
  packages: Record<string, number>
  /** Node's own modules that files and packages import. */
  builtins: string[]
}

/** The file to load with `--import`. */
export const RECORD_MODULES = fileURLToPath(new URL('./record-modules.js', import.meta.url))

/** The modules in the output of a process; undefined if it has not written them. Files of `test` are left out, because they do not belong to the service. */
export function readModules(output: string): LoadedModules | undefined {
  const line = /^modules (.*)\n/m.exec(output)?.[1]
  if (line === undefined) return undefined
  const names = (JSON.parse(line) as string[]).map(nameOf).filter(({ kind, name }) => kind !== 'files' || !name.startsWith('test/'))
  const of = (wanted: Kind) => names.flatMap(({ kind, name }) => (kind === wanted ? [name] : [])).sort()
  const packages: Record<string, number> = {}
  for (const name of of('packages')) packages[name] = (packages[name] ?? 0) + 1
  return { total: names.length, files: of('files'), packages, builtins: of('builtins') }
}

type Kind = 'files' | 'packages' | 'builtins'

function nameOf(url: string): { kind: Kind; name: string } {
  if (url.startsWith('node:')) return { kind: 'builtins', name: url }
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (inPackage !== undefined) return { kind: 'packages', name: inPackage }
  return { kind: 'files', name: url.startsWith(ROOT_URL) ? url.slice(ROOT_URL.length) : url }
}
