// Waits until a newly started process responds.
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningProcess } from './processes.ts'

const START_TIMEOUT_MS = 60_000
const POLL_MS = 5

/**
 * Repeats a request until the response is the expected one.
 * @throws {Error} if the process ends, or a minute has passed
 */
export async function untilServing(
  process: RunningProcess,
  url: string,
  isAsWanted: (response: Response) => boolean | Promise<boolean>,
  init: RequestInit = {}
): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS
  let last: unknown
  while (performance.now() < deadlineMs) {
    process.assertAlive()
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(START_TIMEOUT_MS) })
      if (await isAsWanted(response.clone())) {
        await response.arrayBuffer()
        return
      }
      last = new Error(`status ${response.status}: ${(await response.text()).slice(0, 500)}`)
    } catch (error) {
      last = error
    }
    await sleep(POLL_MS)
  }
  throw new Error(`${url} did not serve`, { cause: last })
}
