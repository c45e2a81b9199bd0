// Decorates the instance with the stored operations, typed by Hasura's schema as soon as there is one.
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { GraphQLSchema } from 'graphql'
import type { HasuraClient } from '../src/hasura/hasura-client.ts'
import { newRequestId } from '../src/request-id.ts'
import { INTROSPECTION_BODY, SchemaError, schemaFromIntrospection, schemaFromSdl } from '../src/stored-operations/hasura-schema.ts'
import { describeMisfit, OperationCatalog, typeOperations } from '../src/stored-operations/operation-catalog.ts'
import { readOperationFolder } from '../src/stored-operations/operation-folder.ts'
import { OperationsError } from '../src/stored-operations/operations-error.ts'
import { parseOperations } from '../src/stored-operations/parse-operations.ts'
import { retryUntilDone } from '../src/stored-operations/retry-until.ts'

declare module 'fastify' {
  interface FastifyInstance {
    operations: {
      /** The operations in force: another catalog replaces it whole, so a request reads it once. */
      current: OperationCatalog
      /** Why there is no schema and will be none, for the operator. */
      schemaProblem: string | undefined
      /** Returns what an operator should look at, in words; empty when all is well. */
      reasons(): string[]
    }
  }
}

/** The largest schema that is read, in bytes; 300 tables of Hasura make about ten million. */
const SCHEMA_MAX_BYTES = 100 * 1024 * 1024

/** Types the operations by a file. One that makes no sense is reported; operations that do not fit it stop the start. */
async function useSchemaFile({ operations, log }: FastifyInstance, path: string): Promise<void> {
  let schema: GraphQLSchema
  try {
    schema = schemaFromSdl(readFileSync(path, 'utf8'))
  } catch (error) {
    const reason = error instanceof SchemaError ? error.message : `the file cannot be read (${(error as NodeJS.ErrnoException).code})`
    operations.schemaProblem = `Stored operations run typed by their declarations alone, since HASURA_SCHEMA_FILE is of no use: ${reason}`
    log.error({ err: error }, operations.schemaProblem)
    return
  }
  operations.current = await typeOperations(operations.current.operations, schema)
  const problems = [...operations.current.misfits.values()].flat()
  if (problems.length > 0) throw new OperationsError(problems)
}

/** Asks Hasura for its schema, with the service's own token. */
async function introspect(hasura: HasuraClient, signal: AbortSignal): Promise<string> {
  const headers = ['x-request-id', newRequestId()]
  const { head, stream } = await hasura.execute({ body: INTROSPECTION_BODY, isQuery: true, headers, signal })
  if (stream === undefined) return head.toString()
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > SCHEMA_MAX_BYTES) stream.destroy(new SchemaError(`the schema is larger than ${SCHEMA_MAX_BYTES} bytes`))
  })
  return text(stream)
}

/** Types the operations by Hasura's introspection, in the background; returns a function that stops it. */
function useIntrospection({ operations, hasura, log }: FastifyInstance): () => void {
  let lastReason = ''
  return retryUntilDone({
    attempt: async signal => {
      const schema = schemaFromIntrospection(await introspect(hasura, signal))
      const catalog = await typeOperations(operations.current.operations, schema, signal)
      operations.current = catalog
      for (const [{ name }, problems] of catalog.misfits) log.error(describeMisfit(name, problems))
      log.info({ operations: catalog.operations.length, misfits: catalog.misfits.size }, "stored operations are typed by Hasura's schema")
    },
    onFailure: (error, retryInMs) => {
      const reason = error instanceof Error ? error.message : String(error)
      const level = reason === lastReason ? 'debug' : 'warn'
      lastReason = reason
      log[level]({ retryInSeconds: Math.round(retryInMs / 1000) }, `stored operations run typed by their declarations alone: ${reason}`)
    }
  })
}

export default fp(
  async app => {
    const { OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: schemaFile, GRAPHQL_ADHOC: isAdhocAllowed } = app.config
    const files = readOperationFolder(folder)
    const operations: FastifyInstance['operations'] = {
      current: new OperationCatalog(parseOperations(files)),
      schemaProblem: undefined,
      reasons() {
        return [operations.schemaProblem ?? [], operations.current.reasons()].flat()
      }
    }
    app.decorate('operations', operations)
    app.addReadiness(() => ({ notices: operations.reasons() }))
    if (files.ignored.length > 0)
      app.log.warn({ files: files.ignored }, 'these files are not stored operations: their names do not end in .graphql')
    const count = operations.current.operations.length
    if (count === 0) {
      if (!isAdhocAllowed) app.log.warn({ folder }, 'nothing can run: GRAPHQL_ADHOC is false, and there are no stored operations')
      return
    }
    app.log.info({ folder, count }, 'stored operations were read')
    if (schemaFile !== undefined) return useSchemaFile(app, schemaFile)

    let stop = () => {}
    app.addHook('onReady', async () => {
      stop = useIntrospection(app)
    })
    app.addHook('onClose', async () => stop())
  },
  { name: 'operations', dependencies: ['config', 'hasura', 'readiness'] }
)
