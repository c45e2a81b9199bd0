// Callers with keys, as CALLER_KEYS_FILE lists them.
import { hash } from 'node:crypto'

export const sha256 = (text: string): string => hash('sha256', text)

/** The text of a file of callers by their names, each with its rights; the key of `web` is `web-key`. */
export const keysFile = (callers: Record<string, object>): string =>
  JSON.stringify({
    callers: Object.entries(callers).map(([name, rights]) => ({ name, keySha256: [sha256(`${name}-key`)], ...rights }))
  })
