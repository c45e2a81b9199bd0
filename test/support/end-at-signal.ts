// Loaded into tap by `npm test`: lets a signal end tap and the test files, which two copies of signal-exit in tap would prevent by waiting for each other.
import { constants } from 'node:os'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]))
