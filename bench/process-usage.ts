// CPU time and memory of a process and its children, read from /proc (proc(5)).
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Sums over a process and all its descendants. */
type Usage = {
  /** CPU time in user and kernel mode, in µs. */
  cpuMicroseconds: number
  /** Peak resident memory, in MiB; pages that processes share count once for each. */
  peakMiB: number
  /** Resident memory now, in MiB. */
  residentMiB: number
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const KIB_PER_MIB = 1024

/** IDs of all descendants of a process. */
export function descendantsOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const children = threads.flatMap(thread => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean))
    return children.map(Number).flatMap(child => [child, ...descendantsOf(child)])
  } catch {
    // The process has ended in the meantime.
    return []
  }
}

/** Reads what a process and its descendants have used so far. */
export function usageOf(pid: number): Usage {
  const usage = { cpuMicroseconds: 0, peakMiB: 0, residentMiB: 0 }
  for (const id of [pid, ...descendantsOf(pid)]) {
    // The command's name may contain spaces, so fields 14 to 17 of the line are counted from the last bracket.
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    usage.cpuMicroseconds += (ticks / TICKS_PER_SECOND) * 1_000_000
    const status = readFileSync(`/proc/${id}/status`, 'utf8')
    usage.peakMiB += statusKiB(status, 'VmHWM') / KIB_PER_MIB
    usage.residentMiB += statusKiB(status, 'VmRSS') / KIB_PER_MIB
  }
  return usage
}

function statusKiB(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0)
}
