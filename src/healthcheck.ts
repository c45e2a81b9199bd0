// The container's health check: exits with 0 if the service on this machine is live, else with 1. The image has no curl.
// Both fetch and an import of node:http load all of Node's fetch (nodejs/node#59686), which takes longer than the rest of this file.
const { get } = process.getBuiltinModule('node:http')

const { HOST = '127.0.0.1', PORT = '3000' } = process.env
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

get({ host: wildcards[HOST] ?? HOST, port: PORT, path: '/health/live', signal: AbortSignal.timeout(2_000) }, ({ statusCode }) =>
  process.exit(statusCode === 200 ? 0 : 1)
).on('error', () => process.exit(1))
