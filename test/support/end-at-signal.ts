// Loaded into tap by `npm test`: a signal ends it, and with it the test files; two copies of signal-exit in tap wait for each other.
import { constants } from 'node:os'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]))
