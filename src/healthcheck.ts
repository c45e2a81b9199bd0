// Asks the service on this machine whether it is alive: exit code 0 or 1. For the container, which has no curl.
const { HOST = '127.0.0.1', PORT = '3000' } = process.env
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }
const host = wildcards[HOST] ?? (HOST.includes(':') ? `[${HOST}]` : HOST)

const isLive = await fetch(`http://${host}:${PORT}/health/live`, { signal: AbortSignal.timeout(2_000) }).then(
  ({ ok }) => ok,
  () => false
)
process.exit(isLive ? 0 : 1)
