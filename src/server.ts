// Process entry: settings, logger, service, listening, and an orderly end.
import closeWithGrace from 'close-with-grace'
import pino from 'pino'
import { buildApp } from './app.ts'
import { createLogStream } from './log-stream.ts'
import { loadSettings, readEnvironment, SettingsError } from './settings.ts'
import { OperationsError } from './stored-operations/operations-error.ts'

/** The longest that closing may take once no request is in flight, in ms. */
const CLOSE_MAX_MS = 1_000

const settings = await loadSettings(readEnvironment()).catch((error: unknown) => {
  if (!(error instanceof SettingsError)) throw error
  console.error(error.message)
  process.exit(1)
})

const logStream = createLogStream(1)
const logger = pino({ level: settings.LOG_LEVEL }, logStream)
process.on('exit', () => logStream.flushSync())
const app = await buildApp(settings, logger).catch((error: unknown) => {
  if (!(error instanceof OperationsError)) throw error
  console.error(error.message)
  process.exit(1)
})

// The grace is for requests in flight; closing what is idle then takes a moment more.
closeWithGrace({ delay: settings.SHUTDOWN_GRACE_MS + CLOSE_MAX_MS, logger }, async ({ signal, err }) => {
  if (err) logger.fatal({ err }, 'stopping after an error that nobody caught')
  else logger.info({ signal }, 'stopping')
  if (!(await app.drain(settings.SHUTDOWN_GRACE_MS))) {
    logger.error({ graceMs: settings.SHUTDOWN_GRACE_MS }, 'requests are cut that did not finish in time')
    process.exit(1)
  }
  await app.close()
})

try {
  await app.listen({ host: settings.HOST, port: settings.PORT })
} catch (error) {
  logger.fatal({ err: error }, 'could not listen')
  process.exit(1)
}
