// A port for a server whose port must be known before it starts.
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the range from which systems assign ports (Linux: 32768, else 49152), so that no other process gets it in the meantime.
const FIRST = 20_000
const COUNT = 12_000

/** A free port of 127.0.0.1, drawn at random from 20000 to 31999. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const isListening = await once(server, 'listening').then(
    () => true,
    () => false
  )
  server.close()
  return isListening
}
