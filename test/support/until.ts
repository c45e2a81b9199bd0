// Waits for the effects of other processes and sockets.
import { setTimeout as pause } from 'node:timers/promises'

/** Resolves once the condition holds; the test's own time-out is the bound. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5)
}
