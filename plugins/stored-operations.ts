// Decorates the instance with the stored operations, and updates them when their folder or Hasura's schema changes.
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock, within } from '../src/clock.ts'
import { createFolderReader, type FolderReader } from '../src/stored-operations/folder-reader.ts'
import type { LoadedOperations } from '../src/stored-operations/load-operations.ts'
import { describeMisfit, emptyCatalog, type OperationCatalog } from '../src/stored-operations/operation-catalog.ts'
import { type OperationFolder, readOperationFolder } from '../src/stored-operations/operation-folder.ts'
import { describeRefusal } from '../src/stored-operations/operations-error.ts'
import { startRefreshLoop } from '../src/stored-operations/refresh-loop.ts'
import { checkAfterStart, parseAtStart } from '../src/stored-operations/start-operations.ts'
import { watchFiles } from '../src/stored-operations/watch-files.ts'

declare module 'fastify' {
  interface FastifyInstance {
    operations: {
      /** The operations in use, once they are ready. An update replaces the whole catalog, so a request reads this only once. */
      current: OperationCatalog
      /**
       * Returns undefined if the operations are ready. Otherwise starts any work that is left, and returns a promise that resolves when
       * they are ready and rejects with the error of `started`.
       */
      whenReady(): Promise<void> | undefined
      /** Resolves when the operations found at start are ready; rejects with an `OperationsError` if a file is bad. */
      readonly started: Promise<void>
    }
    /** Waits until the operations are ready; a hook for the routes that need them. */
    awaitOperations: onRequestHookHandler
  }
}

/** The most refused files that `/health/ready` names; the log names them all. */
const NAMED_MAX = 10

/** How long a change in the folder waits for a newer schema, in ms. */
const SCHEMA_WAIT_MS = 2_000
/** How long the preparation of stored operations is delayed after the start, in ms, so that it does not hold up the first requests. */
const QUIET_MS = 1_000

/** Returns a function that logs only the lines that were not in the previous call. */
function createNewsLog(log: FastifyInstance['log']) {
  let known: ReadonlySet<string> = new Set()
  return (lines: readonly string[]) => {
    for (const line of lines) if (!known.has(line)) log.error(line)
    known = new Set(lines)
  }
}

/** Remembers why there is no schema, and logs the reason when it changes. */
function createSchemaTrouble({ config, log, operations }: FastifyInstance) {
  const isFile = config.HASURA_SCHEMA_FILE !== undefined
  let message: string | undefined
  return {
    /** Sentences for an operator; only about the file, since Hasura may have introspection turned off on purpose. */
    notices: () => (isFile && message !== undefined ? [message] : []),
    end() {
      message = undefined
    },
    report(error: unknown, retryInMs = 0) {
      const reason = error instanceof Error ? error.message : String(error)
      const effect = operations.current.schema
        ? 'stored operations keep the types of the previous schema'
        : 'stored operations are typed only by their declarations'
      const text = `${isFile ? 'HASURA_SCHEMA_FILE cannot be used; ' : ''}${effect}: ${reason}`
      const level = text === message ? 'debug' : isFile ? 'error' : 'warn'
      message = text
      log[level]({ retryInSeconds: Math.round(retryInMs / 1000) }, text)
    }
  }
}

/** Whether there is nothing to check, so that graphql-js's validation need not be loaded. */
const isEmpty = ({ operations, fragments, problems }: OperationFolder) => operations.length + fragments.length + problems.length === 0

/** Creates the functions that update the catalog; the old one stays in use until the new one is complete. */
function createRefresh(app: FastifyInstance, reader: FolderReader, start: LoadedOperations) {
  const { operations, log } = app
  const logRefusals = createNewsLog(log)
  const logMisfits = createNewsLog(log)
  let loaded = start

  /** Replaces the catalog. @param schema default: the previous schema, if there is one */
  const retype = async (schema = operations.current.schema, signal?: AbortSignal): Promise<void> => {
    if (schema === operations.current.schema && loaded.operations === operations.current.operations) return
    const { createCatalog, typeOperations } = await import('../src/stored-operations/type-operations.ts')
    const catalog = schema ? await typeOperations(loaded.operations, schema, signal) : createCatalog(loaded.operations)
    operations.current = catalog
    logMisfits([...catalog.misfits].map(([{ name }, problems]) => describeMisfit(name, problems)))
    log.info(
      { count: catalog.operations.length, misfits: catalog.misfits.size, hasSchema: schema !== undefined },
      'stored operations are in use'
    )
  }

  return {
    /** Puts the operations found at start into use, typed by their declarations. */
    async begin(): Promise<void> {
      await checkAfterStart(start.operations)
      const { createCatalog } = await import('../src/stored-operations/type-operations.ts')
      operations.current = createCatalog(start.operations)
    },
    async refresh(signal: AbortSignal): Promise<void> {
      const folder = await reader.read()
      if (isEmpty(folder) && isEmpty(loaded.folder)) return
      const { reloadOperations } = await import('../src/stored-operations/load-operations.ts')
      loaded = reloadOperations(folder, loaded)
      logRefusals(loaded.problems.map(describeRefusal))
      if (loaded.operations.length === 0) return retype()
      const schema = app.getHasuraSchema(signal)
      // Files and schema often change together, so wait a little for the schema; but changed files take effect even if Hasura is slow.
      await retype(
        await within(
          systemClock,
          SCHEMA_WAIT_MS,
          schema.catch(() => undefined)
        ),
        signal
      )
      await retype(await schema, signal)
    },
    notices(): string[] {
      const refused = loaded.problems.slice(0, NAMED_MAX).map(describeRefusal)
      const more = loaded.problems.length - NAMED_MAX
      return more > 0 ? [...refused, `${more} more problems with stored operations: see the log.`] : refused
    }
  }
}

/** Decorates the instance with operations that are made ready once, on first use; returns a function that starts this early. */
function decorateOperations(app: FastifyInstance, isReadyAtOnce: boolean, makeReady: () => Promise<void>): () => Promise<void> {
  const { promise: started, resolve, reject } = Promise.withResolvers<void>()
  started.catch((error: Error) => app.addReadiness(() => ({ blocking: [error.message] })))
  let isReady = isReadyAtOnce
  let hasBegun = false
  const begin = () => {
    if (!hasBegun) {
      hasBegun = true
      makeReady().then(() => {
        isReady = true
        resolve()
      }, reject)
    }
    return started
  }
  const whenReady = () => (isReady ? undefined : begin())
  app.decorate('operations', { current: emptyCatalog(), whenReady, started })
  app.decorate('awaitOperations', (_, __, done) => {
    const ready = app.operations.whenReady()
    if (ready) ready.then(() => done(), done)
    else done()
  })
  return begin
}

export default fp(
  async app => {
    const { OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: schemaFile, GRAPHQL_ADHOC: isAdhocAllowed } = app.config
    const files = readOperationFolder(folder)
    const loaded = await parseAtStart(files)
    const { length: count } = loaded.operations
    if (files.ignored.length > 0)
      app.log.warn({ files: files.ignored }, 'these files are not stored operations: their names do not end in .graphql')
    app.log.info({ folder, count }, 'stored operations were read')
    if (count === 0 && !isAdhocAllowed)
      app.log.warn({ folder }, 'nothing can run: GRAPHQL_ADHOC is false, and there are no stored operations')

    const makeReady = async () => {
      if (count > 0) await begin()
      // With a schema file, operations are typed from the first request on.
      if (count > 0 && schemaFile !== undefined) await refresh(new AbortController().signal).catch(trouble.report)
      keepUpToDate()
    }
    const start = decorateOperations(app, count === 0, makeReady)
    const reader = createFolderReader(folder, schemaFile)
    const trouble = createSchemaTrouble(app)
    const { begin, refresh, notices } = createRefresh(app, reader, loaded)
    app.addReadiness(() => ({ notices: [...trouble.notices(), ...notices(), ...app.operations.current.reasons()] }))

    let isClosed = false
    let stop = () => {}
    const keepUpToDate = () => {
      if (isClosed) return
      const loop = startRefreshLoop({
        refresh: async signal => {
          await refresh(signal)
          trouble.end()
        },
        onFailure: trouble.report
      })
      const unwatch = watchFiles({ look: reader.look, isNews: reader.isNews, onChange: loop.refreshNow })
      stop = () => {
        unwatch()
        loop.stop()
      }
    }
    app.addHook('onReady', async () => {
      // If only stored operations may run, every request waits for them, so there is no delay.
      stop = systemClock.setTimer(() => void start(), isAdhocAllowed && count > 0 ? QUIET_MS : 0)
    })
    app.addHook('onClose', async () => {
      isClosed = true
      stop()
    })
  },
  { name: 'operations', dependencies: ['config', 'hasura', 'hasuraSchema', 'readiness'] }
)
