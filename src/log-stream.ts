// Where pino writes to: lines are held back a moment and written many at once.
import pino from 'pino'

/** How much is held before it is written, in characters; pino's destination writes up to 16 KiB at once. */
const HOLD_MAX_LENGTH = 15_000
/** How long a line is held at the most, in ms. */
const HOLD_MAX_MS = 250

/** A stream for pino, and what is to be called when the process ends. */
export type LogStream = { write(line: string): void; flushSync(): void }

/**
 * Makes a stream that writes to a file descriptor without waiting for it. pino's destination can hold lines as well, but measures
 * all it holds with each one; writing a request's line by itself would cost more than making it.
 */
export function createLogStream(fd: number): LogStream {
  const destination = pino.destination({ dest: fd, sync: false })
  let held = ''
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (held === '') return
    const text = held
    held = ''
    destination.write(text)
  }
  return {
    write(line) {
      held += line
      if (held.length >= HOLD_MAX_LENGTH) flush()
      else timer ??= setTimeout(flush, HOLD_MAX_MS).unref()
    },
    flushSync() {
      flush()
      destination.flushSync()
    }
  }
}
