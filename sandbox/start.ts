// `npm run sandbox`: the service with stand-ins for Cognito and Hasura, all on this machine, stopped by one Ctrl-C.
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { startCognito } from './cognito.ts'
import { startHasura } from './hasura.ts'
import { listen, stopListening } from './listen.ts'
import { type ServiceProcess, startService, waitUntilReady } from './service-process.ts'
import { readSettings, SANDBOX_CLIENT, serviceEnvironment } from './settings.ts'

const SERVICE_FILE = fileURLToPath(new URL('../src/start.js', import.meta.url))
// npm passes a terminal's Ctrl-C on, so it arrives twice; a second signal this soon is the same key press.
const SAME_SIGNAL_MS = 500

const cleanup: (() => Promise<void>)[] = []
let firstSignalAtMs: number | undefined
let service: ServiceProcess | undefined

async function main(): Promise<number> {
  const { cognitoPort, hasuraPort, serviceHost, servicePort, tokenLifetimeSeconds } = readSettings(process.env)
  const cognito = await onPort('SANDBOX_COGNITO_PORT', cognitoPort, () =>
    startCognito({ ...SANDBOX_CLIENT, port: cognitoPort, tokenLifetimeSeconds })
  )
  cleanup.push(cognito.close)
  const hasura = await onPort('SANDBOX_HASURA_PORT', hasuraPort, () =>
    startHasura({ port: hasuraPort, jwksUrl: cognito.jwksUrl, issuer: cognito.issuer })
  )
  cleanup.push(hasura.close)
  await onPort('PORT', servicePort, () => tryPort(servicePort, serviceHost))
  if (firstSignalAtMs !== undefined) return 0

  service = startService(SERVICE_FILE, serviceEnvironment(process.env, cognito.url, hasura.url))
  const gone = new AbortController()
  const exited = service.exited.finally(() => gone.abort())
  const serviceUrl = `http://${reachable(serviceHost)}:${servicePort}`
  const isReady = await waitUntilReady(`${serviceUrl}/health/ready`, gone.signal).then(
    () => true,
    () => false
  )
  if (isReady) console.log(welcome(serviceUrl, cognito.url, hasura.url, tokenLifetimeSeconds))
  else if (!gone.signal.aborted) {
    console.error(`the service did not become ready: see ${serviceUrl}/health/ready and the log above`)
    service.stop()
    await exited
    return 1
  }
  await exited
  if (firstSignalAtMs !== undefined) return 0
  console.error('the service ended unexpectedly; stopping the sandbox')
  return 1
}

async function onPort<T>(setting: string, port: number, start: () => Promise<T>): Promise<T> {
  return await start().catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'EADDRINUSE' ? new Error(`port ${port} is in use: free it or set ${setting}`, { cause }) : cause
  })
}

async function tryPort(port: number, host: string): Promise<void> {
  const server = createServer()
  await listen(server, port, host)
  await stopListening(server)
}

function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function welcome(serviceUrl: string, cognitoUrl: string, hasuraUrl: string, tokenLifetimeSeconds: number): string {
  const query = 'query Users($limit: Int!) { users(limit: $limit, order_by: {id: asc}) { id name } }'
  return `
  service        ${serviceUrl}
  documentation  ${serviceUrl}/documentation
  explorer       ${serviceUrl}/graphiql
  Cognito        ${cognitoUrl} (stand-in)
  Hasura         ${hasuraUrl} (stand-in)

Try it:

  curl -s ${serviceUrl}/execute-graphql -H 'content-type: application/json' -d '${JSON.stringify({ query, variables: { limit: 2 } })}'
  curl -s ${serviceUrl}/operations/fetch-sample-data

Watch a live query change while the token, valid for ${tokenLifetimeSeconds} s, is renewed: run the first command in one terminal, the second in another.

  curl -N -H 'accept: text/event-stream' ${serviceUrl}/operations/watch-users
  curl -s ${serviceUrl}/operations/rename-user -H 'content-type: application/json' -d '{"id":1,"name":"augusta"}'

Ctrl-C stops everything.
`
}

function onSignal(): void {
  const nowMs = performance.now()
  if (firstSignalAtMs !== undefined && nowMs - firstSignalAtMs < SAME_SIGNAL_MS) return
  firstSignalAtMs ??= nowMs
  service?.stop()
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return 1
})
for (const close of cleanup.reverse()) await close()
process.exit()
