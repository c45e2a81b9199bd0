// Loaded into the service by the sandbox: stops it if the sandbox is killed or crashes.

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The listener above must not keep the service alive.
process.channel?.unref()
