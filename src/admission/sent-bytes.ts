// How much of what was written to a socket has left the process.
import type { Socket } from 'node:net'

/**
 * Returns how many bytes the kernel has taken since the connection was made. A socket's own counters change only when a whole write has
 * gone out, which may be megabytes; Node reads these two of its handle for its own time-outs (`net.Socket`, `_onTimeout`).
 */
export function sentBytesOf(socket: Socket | null): number {
  const { bytesWritten = 0, writeQueueSize = 0 } = Object(socket && '_handle' in socket ? socket._handle : undefined)
  return bytesWritten - writeQueueSize
}
