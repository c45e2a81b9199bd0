// A program that ends when the test's process ends, even by SIGKILL.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'

const TIE = fileURLToPath(new URL('./tie.ts', import.meta.url))

/** A running program. */
type TiedProcess = {
  /** Resolves when its standard output contains a text; rejects, with its output, if it ends first. */
  hasWritten(text: string): Promise<void>
  /** Sends it SIGTERM. */
  terminate(): void
  /** Its exit code, once it has ended; null after a signal. */
  exited: Promise<number | null>
  /** Kills it and its children in its process group, and resolves when they are gone. */
  stop(): Promise<void>
}

/** Starts a program; `env` is its whole environment, by default that of the test. */
export function startTied(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): TiedProcess {
  const tie = spawn(process.execPath, [TIE, command, ...args], { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const written = new EventEmitter()
  let output = ''
  tie.stdout?.setEncoding('utf8').on('data', chunk => {
    output += chunk
    written.emit('more')
  })
  const gone = once(tie, 'exit')
  const exited = once(tie, 'message').then(([message]) => (message as { code: number | null }).code)
  const ended = exited.then(code => Promise.reject(new Error(`${command} has ended with ${code}: ${output}`)))
  ended.catch(() => {})
  return {
    async hasWritten(text) {
      while (!output.includes(text)) await Promise.race([once(written, 'more'), ended])
    },
    terminate: () => tie.kill('SIGTERM'),
    exited,
    async stop() {
      if (tie.connected) tie.disconnect()
      await gone
    }
  }
}
