// Decorates the instance with the callers of CALLER_KEYS_FILE, read again when it changes.
import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs'
import fp from 'fastify-plugin'
import { type KeyCallers, parseKeyCallers } from '../src/callers/key-callers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the callers of the latest version of the file that holds up; undefined where keys are not taken. */
    keyCallers: (() => KeyCallers) | undefined
  }
}

/** How often the file is checked for changes, in ms; polling notices every way of replacing it, also that of a Kubernetes volume. */
const POLL_MS = 1_000
/** The permission of everyone to write (POSIX, `S_IWOTH`). */
const OTHERS_MAY_WRITE = 0o002

/** Why a version was refused; the system's own message would name the path. */
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
        app.log.warn('CALLER_KEYS_FILE may be written by every user of its machine, who could add a key: chmod o-w')
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
