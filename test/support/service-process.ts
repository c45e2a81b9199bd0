// The service as its own process, started as `npm start` does.
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Answer, startFakeServer } from './fake-server.ts'
import { environmentFor, givesData, givesTokens } from './gateway.ts'
import { postJson } from './post-json.ts'

const SERVER = fileURLToPath(new URL('../../src/server.ts', import.meta.url))
const PRELOAD = new URL('./end-with-parent.ts', import.meta.url).href

/** A started service. */
export type ServiceProcess = {
  child: ChildProcess
  /** Everything that it has written so far, to both streams. */
  output(): string
  /** Resolves when its output contains a text. */
  hasWritten(text: string): Promise<void>
  /** The URL from its log, once it listens. */
  url(): Promise<string>
  /** Its exit code, once it has ended. */
  exited: Promise<number | null>
}

/**
 * Starts the service with only these settings and `PATH` from this environment. It ends when the process of the test ends, for whatever reason.
 * @param args its options; default: none
 */
export function startService(settings: Record<string, string>, cwd: string, args: readonly string[] = []): ServiceProcess {
  const child = spawn(process.execPath, ['--import', PRELOAD, SERVER, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  const written = new EventEmitter()
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', chunk => {
      output += chunk
      written.emit('more')
    })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const ended = exited.then(code => Promise.reject(new Error(`ended with ${code}: ${output}`)))
  ended.catch(() => {})
  const hasWritten = async (text: string) => {
    while (!output.includes(text)) await Promise.race([once(written, 'more'), ended])
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

/** Starts it between a fake Cognito and a fake Hasura for one test, with which all three end. */
export async function serviceFor(t: Test, settings: Record<string, string>, answer: Answer = givesData, cwd = t.testdir()) {
  const cognito = await startFakeServer(givesTokens)
  const hasura = await startFakeServer(answer)
  const service = startService(environmentFor(cognito.url, hasura.url, settings), cwd)
  t.teardown(async () => {
    service.child.kill('SIGKILL')
    await service.exited
    await Promise.all([cognito.close(), hasura.close()])
  })
  const url = await service.url()
  const post = (headers?: Record<string, string>) => postJson(`${url}/execute-graphql`, { query: '{ a }' }, headers)
  return { ...service, hasura, url, post }
}
