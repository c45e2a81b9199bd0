// Loaded into a service that a test starts as a process: it ends with the test.

// The channel closes however the test ends, SIGKILL included.
process.once('disconnect', () => process.exit(1))
// The listener above must not be what keeps the service alive.
process.channel?.unref()
