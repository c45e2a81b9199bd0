// The process: runs the command that is asked for, or the service, which it stops in good order.
import closeWithGrace from 'close-with-grace'
import pino from 'pino'
import { type Command, listOptions, readCommandLine, UsageError } from './commands/command-line.ts'
import { loadSettings, readEnvironment, SettingsError } from './settings.ts'
import { settingsWithoutEffect } from './settings-warnings.ts'
import { OperationsError } from './stored-operations/operations-error.ts'

/** The longest that closing may take once no request is in flight, in ms. */
const CLOSE_MAX_MS = 1_000
/** Log lines are held until there are this many bytes of them, or for this many ms, and then written together. */
const LOG_HOLD_BYTES = 4_000
const LOG_HOLD_MS = 250
/** The most bytes in one write. pino's destination measures all of them again at each line, so this is not its default of 16 KiB. */
const LOG_WRITE_MAX_BYTES = 4_096

const command = wantedCommand()
if (command) {
  const { runCommand } = await import('./commands/run-command.ts')
  process.exit(await runCommand(command))
}

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
const withoutEffect = settingsWithoutEffect(readEnvironment(), settings)
if (withoutEffect.length > 0) logger.warn({ settings: withoutEffect }, `these settings have no effect: ${withoutEffect.join(', ')}`)

// Imported once there is something to serve: commands do without it.
const { buildApp } = await import('./app.ts')
const app = await buildApp(settings, logger).catch(endAtBadOperations)

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
  const advice = describeListenError(error)
  if (advice) logger.fatal(advice, `could not listen: ${advice.problem}`)
  else logger.fatal({ err: error }, 'could not listen')
  process.exit(1)
}

// What takes longer to find in the files of stored operations is found while requests are served.
await app.operations.started.catch(endAtBadOperations)

/** Ends the start, which bad files of stored operations stop. */
function endAtBadOperations(error: unknown): never {
  if (!(error instanceof OperationsError)) throw error
  console.error(error.message)
  process.exit(1)
}

/** The command of the command line; one that makes no sense ends the process with exit code 2 and the list. */
function wantedCommand(): Command | undefined {
  try {
    return readCommandLine(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${listOptions()}`)
    process.exit(2)
  }
}

/** Which setting keeps the service from listening; undefined for any other error. */
function describeListenError(error: unknown): { setting: string; code: string; problem: string } | undefined {
  const { code = '', syscall, port } = error as NodeJS.ErrnoException & { port?: number }
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined
  const setting = port === settings.METRICS_PORT && port !== settings.PORT ? 'METRICS_PORT' : 'PORT'
  if (code === 'EADDRINUSE') return { setting, code, problem: `another process uses the port of ${setting}` }
  if (code === 'EACCES') return { setting, code, problem: `this user may not use the port of ${setting}` }
  return { setting: 'HOST', code, problem: 'HOST is no address of this machine' }
}
