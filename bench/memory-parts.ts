// Resident memory by part: V8's statistics from inside the process, and the kernel's from outside (proc(5), smaps_rollup).
import { readFileSync } from 'node:fs'

/** Parts of the resident memory, in MiB; they add up to the whole. */
export type MemoryParts = {
  /** Machine code and bytecode. */
  code: number
  /** The rest of V8's heap. */
  heap: number
  /** Memory outside the heap that objects in it hold, such as the text of scripts and WebAssembly. */
  external: number
  arrayBuffers: number
  /** Mapped files: the Node.js binary and its libraries. */
  files: number
  /** The rest: the allocator and what Node.js and V8 keep in it, stacks, and pages that are not yet returned. */
  rest: number
}

const BYTES_PER_MIB = 2 ** 20
const KIB_PER_MIB = 1024

/**
 * Divides the memory of a process.
 * @param report what bench/report-memory.js wrote, as JSON
 */
export function memoryParts(pid: number, report: string): MemoryParts {
  const { usage, spaces, code } = JSON.parse(report) as Report
  const sizeOf = (isWanted: (name: string) => boolean) =>
    spaces.filter(({ space_name }) => isWanted(space_name)).reduce((sum, space) => sum + space.physical_space_size, 0)
  const codeBytes = sizeOf(name => name.startsWith('code_')) + code.bytecode_and_metadata_size
  const inProcess = {
    code: codeBytes / BYTES_PER_MIB,
    heap: (sizeOf(() => true) - codeBytes) / BYTES_PER_MIB,
    external: (usage.external - usage.arrayBuffers) / BYTES_PER_MIB,
    arrayBuffers: usage.arrayBuffers / BYTES_PER_MIB
  }
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) / KIB_PER_MIB
  const known = Object.values(inProcess).reduce((sum, part) => sum + part, 0)
  return { ...inProcess, files: mib('Rss') - mib('Anonymous'), rest: mib('Anonymous') - known }
}

type Report = {
  usage: NodeJS.MemoryUsage
  spaces: readonly { space_name: string; physical_space_size: number }[]
  code: { bytecode_and_metadata_size: number }
}
