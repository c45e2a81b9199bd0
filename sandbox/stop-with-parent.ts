// Loaded into the service by the sandbox: stops it should the sandbox vanish without a word (killed, crashed).

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The listener above must not be what keeps the service alive.
process.channel?.unref()
