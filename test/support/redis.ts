// A real redis-server on a free port of 127.0.0.1, from Debian's package; tests that need it say so where it is not there.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** Whether the program is on this machine. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0

/** Starts a server that keeps nothing on disk. */
export async function startRedis(port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const child: ChildProcess = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'])
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', chunk => {
    output += chunk
  })
  while (!output.includes('Ready to accept connections'))
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')])
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}
