// Starts processes on a core, and always stops each by its own ID.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { descendantsOf } from './process-usage.ts'

/** Contenders share one core; the load and the upstream share the other. */
export type Core = 'service' | 'load'

/** What to start. */
export type ProcessSpec = {
  command: string
  args: readonly string[]
  core: Core
  /** Environment variables besides PATH, HOME and NODE_ENV, the only inherited ones. */
  env?: Readonly<Record<string, string>>
  cwd: string
  /** File for the process's output, including errors. */
  output: string
}

/** A process that runs until it is stopped. */
export type RunningProcess = {
  pid: number
  /** Its exit code, once it has ended; null after a signal. */
  ended: Promise<number | null>
  /** Throws with the end of its output if it has ended. */
  assertAlive(): void
  stop(): Promise<void>
}

const TERM_GRACE_MS = 5_000
const OUTPUT_SHOWN = 1_000

const running = new Set<Pick<RunningProcess, 'stop'>>()
let isStopping = false

/** Command and arguments that run on a core; unchanged if processes cannot be pinned. */
export function pinned(canPin: boolean, core: Core, command: string, args: readonly string[]): [string, string[]] {
  return canPin ? ['taskset', ['-c', core === 'service' ? '0' : '1', command, ...args]] : [command, [...args]]
}

/** Starts a process without waiting until it serves. */
export function startProcess(spec: ProcessSpec, canPin: boolean): RunningProcess {
  assertNotStopping()
  const output = openSync(spec.output, 'a')
  const [command, args] = pinned(canPin, spec.core, spec.command, spec.args)
  const child = spawn(command, args, { cwd: spec.cwd, env: { ...inherited(), ...spec.env }, stdio: ['ignore', output, output] })
  closeSync(output)
  let failure: Error | undefined
  child.on('error', error => {
    failure = error
  })
  const self: RunningProcess = {
    pid: child.pid ?? 0,
    ended: new Promise(resolve => child.once('exit', resolve)),
    assertAlive() {
      if (failure === undefined && child.exitCode === null && child.signalCode === null) return
      const text = readFileSync(spec.output, 'utf8').slice(-OUTPUT_SHOWN)
      throw new Error(`${spec.command} ended by itself: ${failure?.message ?? text}`)
    },
    async stop() {
      if (child.pid !== undefined) await endTree(child, child.pid)
      running.delete(self)
    }
  }
  running.add(self)
  return self
}

/** Runs a command on the load's core to completion and returns its output; `stopAll` stops it like all others. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number
): Promise<string> {
  assertNotStopping()
  const child = spawn(command, args, { env: { ...inherited(), ...env }, stdio: ['ignore', 'pipe', 'inherit'], timeout: timeoutMs })
  const ended = once(child, 'close')
  const self = {
    async stop() {
      child.kill('SIGKILL')
      await ended
    }
  }
  running.add(self)
  try {
    const chunks: Buffer[] = []
    child.stdout.on('data', chunk => chunks.push(chunk))
    const [status] = await ended
    if (status !== 0) throw new Error(`${command} ended with ${status}`)
    return Buffer.concat(chunks).toString()
  } finally {
    running.delete(self)
  }
}

/** Stops everything that still runs; after that, nothing more can be started. */
export async function stopAll(): Promise<void> {
  isStopping = true
  await Promise.all([...running].map(each => each.stop()))
}

function assertNotStopping(): void {
  if (isStopping) throw new Error('the benchmark is being stopped')
}

/** The only environment that processes inherit, so that the user's own settings cannot change what is measured. */
function inherited(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', NODE_ENV: 'production' }
}

async function endTree(child: ChildProcess, pid: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const family = descendantsOf(pid)
  const ended = once(child, 'exit')
  for (const id of [...family, pid]) kill(id, 'SIGTERM')
  const isEnded = await Promise.race([ended.then(() => true), sleep(TERM_GRACE_MS, false, { ref: false })])
  if (isEnded) return
  for (const id of [...family, pid]) kill(id, 'SIGKILL')
  await ended
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended in the meantime.
  }
}
