// Measures how many bytes written to a socket have left the process.
import type { Socket } from 'node:net'

/**
 * Returns how many bytes the kernel has taken since the connection was opened. A socket's own counters change only when a whole write is
 * finished, which may be megabytes; Node itself uses these two of the handle for time-outs (`net.Socket`, `_onTimeout`).
 */
export function sentBytesOf(socket: Socket | null): number {
  const { bytesWritten = 0, writeQueueSize = 0 } = Object(socket && '_handle' in socket ? socket._handle : undefined)
  return bytesWritten - writeQueueSize
}
