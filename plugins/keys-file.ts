// Decorates the instance with the callers in CALLER_KEYS_FILE, which is read again when it changes.
import { readFileSync, statSync } from 'node:fs'
import fp from 'fastify-plugin'
import { type KeyCallers, parseKeyCallers } from '../src/callers/key-callers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the callers in the latest valid version of the file; undefined if keys are not accepted. */
    keyCallers: (() => KeyCallers) | undefined
  }
}

/** The write permission for others (POSIX, `S_IWOTH`). */
const OTHERS_MAY_WRITE = 0o002

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
    app.rereadOnChange('CALLER_KEYS_FILE', path, () => {
      callers = read()
      return { callers: callers.count }
    })
    app.keyCallers = () => callers
  },
  { name: 'keysFile', dependencies: ['config', 'fileChanges'] }
)
