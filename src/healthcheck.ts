// Asks the service on this machine whether it is alive: exit code 0 or 1. For the container, which has no curl.
// Neither fetch nor an import of node:http: each loads all of Node's fetch (nodejs/node#59686), which takes longer than the rest of this.
const { get } = process.getBuiltinModule('node:http')

const { HOST = '127.0.0.1', PORT = '3000' } = process.env
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

get({ host: wildcards[HOST] ?? HOST, port: PORT, path: '/health/live', signal: AbortSignal.timeout(2_000) }, ({ statusCode }) =>
  process.exit(statusCode === 200 ? 0 : 1)
).on('error', () => process.exit(1))
