// Loaded into each test file and each service that one starts: ends it with the process that started it, however that ends.

process.once('disconnect', () => process.exit(1))
// The listener above must not be what keeps the process alive.
process.channel?.unref()
