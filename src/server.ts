// Process entry: reads the settings, starts the service, and stops it in good order.
import closeWithGrace from 'close-with-grace'
import pino from 'pino'
import { buildApp } from './app.ts'
import { loadSettings, readEnvironment, SettingsError } from './settings.ts'
import { OperationsError } from './stored-operations/operations-error.ts'

/** The longest that closing may take once no request is in flight, in ms. */
const CLOSE_MAX_MS = 1_000
/** Log lines are held until there are this many bytes of them, or for this many ms, and then written together. */
const LOG_HOLD_BYTES = 4_000
const LOG_HOLD_MS = 250
/** The most bytes in one write. pino's destination measures all of them again at each line, so this is not its default of 16 KiB. */
const LOG_WRITE_MAX_BYTES = 4_096

const readSettings = async () => loadSettings(readEnvironment())
const settings = await readSettings().catch((error: unknown) => {
  if (!(error instanceof SettingsError)) throw error
  console.error(error.message)
  process.exit(1)
})

// pino writes what is left at the exit of the process, and after a fatal line at once.
const stdout = pino.destination({
  dest: 1,
  sync: false,
  minLength: LOG_HOLD_BYTES,
  maxWrite: LOG_WRITE_MAX_BYTES,
  periodicFlush: LOG_HOLD_MS
})
const logger = pino({ level: settings.LOG_LEVEL }, stdout)
const app = await buildApp(settings, logger).catch((error: unknown) => {
  if (!(error instanceof OperationsError)) throw error
  console.error(error.message)
  process.exit(1)
})

// The grace is for requests in flight; closing what is idle then takes a moment more.
closeWithGrace({ delay: settings.SHUTDOWN_GRACE_MS + CLOSE_MAX_MS, logger }, async ({ signal, err }) => {
  if (err) logger.fatal({ err }, 'stopping after an uncaught error')
  else logger.info({ signal }, 'stopping')
  if (!(await app.drain(settings.SHUTDOWN_GRACE_MS))) {
    logger.error({ graceMs: settings.SHUTDOWN_GRACE_MS }, 'cutting off requests that did not finish in time')
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
