// A program that ends with the test's process, however that ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

// The shell waits on its standard input, a pipe from the test's process: it is closed when that ends, by SIGKILL too.
const SCRIPT = '"$@" </dev/null & exec >/dev/null; cat; kill -KILL $! 2>/dev/null'

/** A running program. */
export type TiedProcess = {
  /** Resolves when its standard output holds a text; rejects, with what it has written, if it ends first. */
  hasWritten(text: string): Promise<void>
  /** Kills it, and resolves when it is gone. */
  stop(): Promise<void>
}

/** Starts a program. */
export function startTied(command: string, args: readonly string[]): TiedProcess {
  const child = spawn('sh', ['-c', SCRIPT, 'sh', command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    output += chunk
  })
  const closed = once(child, 'close')
  const ended = once(child.stdout, 'end').then(() => Promise.reject(new Error(`${command} has ended: ${output}`)))
  ended.catch(() => {})
  return {
    async hasWritten(text) {
      while (!output.includes(text)) await Promise.race([once(child.stdout, 'data'), ended])
    },
    async stop() {
      child.stdin.end()
      await closed
    }
  }
}
