// A logger whose lines a test can read and wait for.
import pino from 'pino'

/** A logger, its lines as texts and as objects, and a promise that resolves when a line contains a text. */
export function watchLog(level = 'info') {
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const write = (line: string) => {
    lines.push(line)
    for (const look of waiting) look()
  }
  const logged = (text: string) =>
    new Promise<void>(resolve => {
      const look = () => lines.some(line => line.includes(text)) && resolve()
      waiting.add(look)
      look()
    })
  return { logger: pino({ level }, { write }), lines, entries: () => lines.map(line => JSON.parse(line)), logged }
}
