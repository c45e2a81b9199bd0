// Decorates the instance with what notices that a file of the settings has changed.
import { unwatchFile, watchFile } from 'node:fs'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Calls `onChange` after each change of a file until the service ends. */
    onFileChange(path: string, onChange: () => void): void
    /**
     * Calls `read` after each change of a setting's file, and logs what it returns. If it throws, the log and readiness say that the new
     * version was rejected and why; `read` must leave the previous one in use then.
     */
    rereadOnChange(setting: string, path: string, read: () => object | Promise<object>): void
  }
}

/** How often a file is polled, in ms. Polling notices every way of replacing it, including that of a Kubernetes volume. */
const POLL_MS = 1_000

/** Returns why a version was rejected. For an unreadable file it is only the error code, since the system's message contains the path. */
const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code === undefined ? message : `it cannot be read (${code})`
}

export default fp(
  async app => {
    app.decorate('onFileChange', (path, onChange) => {
      watchFile(path, { interval: POLL_MS, persistent: false }, onChange)
      app.addHook('onClose', async () => unwatchFile(path, onChange))
    })
    app.decorate('rereadOnChange', (setting, path, read) => {
      let reason: string | undefined
      const reread = async () => {
        try {
          const found = await read()
          reason = undefined
          app.log.info(found, `${setting} was reloaded`)
        } catch (error) {
          reason = reasonOf(error)
          app.log.error({ path, reason }, `the new version of ${setting} was rejected; the previous one stays in use`)
        }
      }
      // One after the other, so that the last version to be read is the last one written.
      let reading = Promise.resolve()
      app.onFileChange(path, () => {
        reading = reading.then(reread)
      })
      app.addReadiness(() => ({
        notices: reason === undefined ? [] : [`The new version of ${setting} was rejected, and the previous one stays in use: ${reason}.`]
      }))
    })
  },
  { name: 'fileChanges', dependencies: ['readiness'] }
)
