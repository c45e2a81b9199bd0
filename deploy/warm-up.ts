// Fills the image's compile cache: runs the service offline, sends the most common requests, and stops it: `node warm-up.ts <command> …`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const PORT = 3000
const RETRY_MS = 200
const TRIES_MAX = 300

/** Starts a server that answers every request with the same JSON, and returns its URL. */
async function answerWith(body: object): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  })
  // The server must not keep this process alive.
  await once(server.listen(0, '127.0.0.1').unref(), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Repeats a request until the service answers 200: it may still be starting, or be shedding load on an emulated machine. */
async function ask(path: string, init: RequestInit = {}): Promise<void> {
  for (let tries = 1; ; tries++) {
    const response = await fetch(`http://127.0.0.1:${PORT}${path}`, init).catch(() => undefined)
    const text = await response?.text()
    if (response?.status === 200) return
    if (tries === TRIES_MAX) throw new Error(`${path} was answered ${response?.status}: ${text}`)
    await pause(RETRY_MS)
  }
}

const [command = '', ...args] = process.argv.slice(2)
const cognito = await answerWith({ access_token: 'a.b.c', token_type: 'Bearer', expires_in: 3600 })
const hasura = await answerWith({ data: { a: 1 } })
const service = spawn(command, args, {
  env: {
    ...process.env,
    HOST: '127.0.0.1',
    PORT: String(PORT),
    AWS_COGNITO_DOMAIN: cognito,
    AWS_COGNITO_APP_CLIENT_ID: 'warm-up',
    AWS_COGNITO_APP_CLIENT_SECRET: 'warm-up',
    GRAPHQL_ENDPOINT: `${hasura}/v1/graphql`
  },
  stdio: ['ignore', 'ignore', 'inherit']
})
const exited = once(service, 'exit')
try {
  await ask('/health/ready')
  const headers = { 'content-type': 'application/json' }
  await ask('/execute-graphql', { method: 'POST', headers, body: '{"query":"{ a }"}' })
  for (const path of ['/health/live', '/', '/documentation/json', '/graphiql']) await ask(path)
} finally {
  service.kill('SIGTERM')
}
// Node writes the compiled code at exit.
const [code] = await exited
process.exit(code ?? 1)
