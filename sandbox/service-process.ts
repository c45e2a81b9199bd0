// The service as a child process of the sandbox: starts it, waits until it is ready, and never leaves it running.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100
const READY_WITHIN_MS = 30_000

/** The running service. */
export interface ServiceProcess {
  /** Settles when the process has ended, for whatever reason. */
  readonly exited: Promise<unknown>
  /** Sends SIGTERM; a second one makes the service stop at once. */
  stop(): void
}

/**
 * Starts `file` with this process's Node in a process group of its own, so that a Ctrl-C in the terminal reaches it only once, through
 * {@link ServiceProcess.stop}. It ends with this process, whatever ends that.
 */
export function startService(file: string, env: NodeJS.ProcessEnv): ServiceProcess {
  const child = spawn(process.execPath, ['--import', new URL('./stop-with-parent.ts', import.meta.url).href, file], {
    env,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const exited = ended(child).finally(() => process.off('exit', kill))
  return { exited, stop: () => child.kill('SIGTERM') }
}

/** Waits until `url` answers 200. Rejects after 30 s, or at once when `signal` aborts. */
export async function waitUntilReady(url: string, signal: AbortSignal): Promise<void> {
  const overall = AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN_MS)])
  while (!(await answersOk(url, overall))) await sleep(POLL_MS, undefined, { signal: overall })
}

async function answersOk(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal }).catch(() => undefined)
  await response?.body?.cancel()
  return response?.status === 200
}

async function ended(child: ChildProcess): Promise<void> {
  // A process that cannot be started reports an error and no exit.
  await once(child, 'exit').catch((error: unknown) => console.error('the service could not be started', error))
}
