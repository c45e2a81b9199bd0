// Loaded into each test file and each service that it starts: ends the process when its parent ends, for whatever reason.

process.once('disconnect', () => process.exit(1))
// The listener above must not keep the process alive.
process.channel?.unref()
