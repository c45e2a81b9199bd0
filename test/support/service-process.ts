// The service as its own process, started as `npm start` does.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SERVER = fileURLToPath(new URL('../../src/server.ts', import.meta.url))

/** A started service. */
export type ServiceProcess = {
  child: ChildProcess
  /** Everything it has written so far, to both streams. */
  output(): string
  /** Resolves when its output holds a text. */
  hasWritten(text: string): Promise<void>
  /** The URL from its log, once it listens. */
  url(): Promise<string>
  /** Its exit code, once it has ended. */
  exited: Promise<number | null>
}

/** Starts the service with these settings alone; `PATH` is all it keeps of this environment. */
export function startService(settings: Record<string, string>, cwd: string): ServiceProcess {
  const child = spawn(process.execPath, [SERVER], { cwd, env: { PATH: process.env.PATH, ...settings } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', chunk => (output += chunk))
  }
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const ended = exited.then(code => Promise.reject(new Error(`ended with ${code}: ${output}`)))
  ended.catch(() => {})
  const hasWritten = async (text: string) => {
    while (!output.includes(text)) await Promise.race([once(child.stdout, 'data'), ended])
  }
  return {
    child,
    output: () => output,
    exited,
    hasWritten,
    async url() {
      await hasWritten('Server listening at ')
      return /Server listening at (http:\/\/[^"]+)/.exec(output)?.[1] ?? ''
    }
  }
}
