// The entry point: runs the command given on the command line, or starts the service and shuts it down gracefully.
import closeWithGrace from 'close-with-grace'
import pino from 'pino'
import { type Command, listOptions, readCommandLine, UsageError } from './commands/command-line.ts'
import { loadSettings, readEnvironment, SettingsError } from './settings.ts'
import { settingsWithoutEffect } from './settings-warnings.ts'
import { OperationsError } from './stored-operations/operations-error.ts'

/** Time limit for closing once no request is in flight, in ms. */
const CLOSE_MAX_MS = 1_000
/** Log lines are buffered up to this many bytes or ms, and then written together. */
const LOG_HOLD_BYTES = 4_000
const LOG_HOLD_MS = 250
/** The most bytes in one write. Below pino's default of 16 KiB, because its destination measures the whole buffer again at each line. */
const LOG_WRITE_MAX_BYTES = 4_096

const command = wantedCommand()
if (command) {
  const { runCommand } = await import('./commands/run-command.ts')
  process.exit(await runCommand(command))
}

const read = async () => {
  const environment = readEnvironment()
  return { environment, settings: await loadSettings(environment) }
}
const { environment, settings } = await read().catch((error: unknown) => {
  if (!(error instanceof SettingsError)) throw error
  console.error(error.message)
  process.exit(1)
})

// pino flushes when the process exits, and immediately after a fatal line.
const stdout = pino.destination({
  dest: 1,
  sync: false,
  minLength: LOG_HOLD_BYTES,
  maxWrite: LOG_WRITE_MAX_BYTES,
  periodicFlush: LOG_HOLD_MS
})
const logger = pino({ level: settings.LOG_LEVEL }, stdout)
const withoutEffect = settingsWithoutEffect(environment, settings)
if (withoutEffect.length > 0) logger.warn({ settings: withoutEffect }, `these settings have no effect: ${withoutEffect.join(', ')}`)

// Imported this late because commands do not need it.
const { buildApp } = await import('./app.ts')
const app = await buildApp(settings, logger).catch(endAtBadOperations)

// The grace period is for requests in flight; closing idle connections takes a moment longer.
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
  const advice = describeListenError(error)
  if (advice) logger.fatal(advice, `could not listen: ${advice.problem}`)
  else logger.fatal({ err: error }, 'could not listen')
  process.exit(1)
}

// The slower checks of stored operations run while the service already takes requests.
await app.operations.started.catch(endAtBadOperations)

/** Ends the process with exit code 1 if stored operations are invalid; rethrows any other error. */
function endAtBadOperations(error: unknown): never {
  if (!(error instanceof OperationsError)) throw error
  console.error(error.message)
  process.exit(1)
}

/** Returns the command on the command line; if it is invalid, prints the list of options and exits with code 2. */
function wantedCommand(): Command | undefined {
  try {
    return readCommandLine(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${listOptions()}`)
    process.exit(2)
  }
}

/** Returns the setting that keeps the service from listening, and why; undefined for any other error. */
function describeListenError(error: unknown): { setting: string; code: string; problem: string } | undefined {
  const { code = '', syscall, port } = error as NodeJS.ErrnoException & { port?: number }
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined
  const setting = port === settings.METRICS_PORT && port !== settings.PORT ? 'METRICS_PORT' : 'PORT'
  if (code === 'EADDRINUSE') return { setting, code, problem: `another process already listens on the port of ${setting}` }
  if (code === 'EACCES') return { setting, code, problem: `this user is not allowed to listen on the port of ${setting}` }
  return { setting: 'HOST', code, problem: 'HOST is not an address of this machine' }
}
