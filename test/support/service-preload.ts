// Loaded into a service that a test starts as a process: it ends with the test, and never sheds load.
import { createRequire } from 'node:module'

// The channel closes however the test ends, SIGKILL included.
process.once('disconnect', () => process.exit(1))
// The listener above must not be what keeps the service alive.
process.channel?.unref()

// On a busy machine the event loop is seconds late; @fastify/under-pressure takes its delay from here.
createRequire(import.meta.url)('node:perf_hooks').monitorEventLoopDelay = () => ({ enable() {}, reset() {}, disable() {}, mean: 0 })
