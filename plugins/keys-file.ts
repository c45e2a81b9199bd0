// Decorates the instance with the callers in CALLER_KEYS_FILE, which is read again when it changes.
import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs'
import fp from 'fastify-plugin'
import { type KeyCallers, parseKeyCallers } from '../src/callers/key-callers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the callers in the latest valid version of the file; undefined if keys are not accepted. */
    keyCallers: (() => KeyCallers) | undefined
  }
}

/** How often the file is polled, in ms. Polling notices every way of replacing it, including that of a Kubernetes volume. */
const POLL_MS = 1_000
/** The write permission for others (POSIX, `S_IWOTH`). */
const OTHERS_MAY_WRITE = 0o002

/** Returns why a version was rejected. For an unreadable file it is only the error code, since the system's message contains the path. */
const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code === undefined ? message : `it cannot be read (${code})`
}

export default fp(
  async app => {
    const { CALLER_AUTH: kinds, CALLER_KEYS_FILE: path, HASURA_ALLOWED_ROLES: roles } = app.config
    app.decorate('keyCallers', undefined)
    if (!kinds.has('api-key') || path === undefined) return

    const read = (): KeyCallers => {
      const callers = parseKeyCallers(readFileSync(path, 'utf8'), roles)
      if ((statSync(path).mode & OTHERS_MAY_WRITE) !== 0)
        app.log.warn('CALLER_KEYS_FILE is writable by every user of this machine, who could add a key: run chmod o-w on it')
      return callers
    }
    let callers = read()
    let fault: string | undefined
    const reread = () => {
      try {
        callers = read()
        fault = undefined
        app.log.info({ callers: callers.count }, 'CALLER_KEYS_FILE was reloaded')
      } catch (error) {
        fault = reasonOf(error)
        app.log.error({ reason: fault }, 'the new version of CALLER_KEYS_FILE was rejected; the previous one stays in use')
      }
    }
    watchFile(path, { interval: POLL_MS, persistent: false }, reread)
    app.addHook('onClose', async () => unwatchFile(path, reread))
    app.addReadiness(() => ({
      notices: fault === undefined ? [] : [`The new version of CALLER_KEYS_FILE was rejected, and the previous one stays in use: ${fault}.`]
    }))
    app.keyCallers = () => callers
  },
  { name: 'keysFile', dependencies: ['config', 'readiness'] }
)
