// Loaded with `--import`: writes at SIGURG which modules the process has loaded; JavaScript, so that it loads no other part of Node.
import { registerHooks } from 'node:module'
import { isMainThread } from 'node:worker_threads'

/** Modules loaded after the first answer belong to the start as well: the list is written once nothing has been loaded for this many ms. */
const QUIET_MS = 500
const CHECK_MS = 50

const urls = new Set()
let quietMs = 0

registerHooks({
  load(url, context, nextLoad) {
    urls.add(url)
    quietMs = 0
    return nextLoad(url, context)
  }
})

if (isMainThread) {
  process.once('SIGURG', () => {
    // Counted in turns of this loop, so that a busy machine does not end the wait early.
    const timer = setInterval(() => {
      quietMs += CHECK_MS
      if (quietMs < QUIET_MS) return
      clearInterval(timer)
      process.stderr.write(`modules ${JSON.stringify([...urls])}\n`)
    }, CHECK_MS)
  })
}
