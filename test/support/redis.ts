// A real redis-server on 127.0.0.1, from Debian's package; tests that need it are skipped if it is missing.
import { spawnSync } from 'node:child_process'
import { startTied } from './tied-process.ts'

/** Whether redis-server is installed. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0

/** Starts a server that writes nothing to disk. */
export async function startRedis(port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const redis = startTied('redis-server', settings)
  await redis.hasWritten('Ready to accept connections')
  return { url: `redis://127.0.0.1:${port}`, stop: redis.stop }
}
