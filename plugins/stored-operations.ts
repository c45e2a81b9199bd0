// Decorates the instance with the stored operations: read at start, typed by Hasura's schema as soon as that can be had.
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { GraphQLSchema } from 'graphql'
import type { HasuraClient } from '../src/hasura/hasura-client.ts'
import { Cancellation } from '../src/hasura/upstream-attempt.ts'
import { parseExact } from '../src/json.ts'
import { newRequestId } from '../src/request-id.ts'
import { INTROSPECTION_BODY, SchemaError, schemaFromIntrospection, schemaFromSdl } from '../src/stored-operations/hasura-schema.ts'
import { describeMisfit, OperationCatalog } from '../src/stored-operations/operation-catalog.ts'
import { readOperationFolder } from '../src/stored-operations/operation-folder.ts'
import { OperationsError } from '../src/stored-operations/operations-error.ts'
import { parseOperations } from '../src/stored-operations/parse-operations.ts'
import { retryUntilDone } from '../src/stored-operations/retry-until.ts'

declare module 'fastify' {
  interface FastifyInstance {
    operations: OperationCatalog
  }
}

/** The largest schema that is read, in bytes; 300 tables of Hasura make about ten million. */
const SCHEMA_MAX_BYTES = 100 * 1024 * 1024

/** Types the operations by a file; one that makes no sense is told of, operations that do not fit it stop the start. */
async function useSchemaFile({ operations, log }: FastifyInstance, path: string): Promise<void> {
  let schema: GraphQLSchema
  try {
    schema = schemaFromSdl(readFileSync(path, 'utf8'))
  } catch (error) {
    const reason = error instanceof SchemaError ? error.message : `the file can not be read (${(error as NodeJS.ErrnoException).code})`
    operations.schemaProblem = `Stored operations run typed by their declarations alone, since HASURA_SCHEMA_FILE is of no use: ${reason}`
    log.error({ err: error }, operations.schemaProblem)
    return
  }
  await operations.useSchema(schema)
  const problems = [...operations.problems.values()].flat()
  if (problems.length > 0) throw new OperationsError(problems)
}

/** One call of Hasura for its schema, by the service's own token. */
async function introspect(hasura: HasuraClient, signal: AbortSignal): Promise<string> {
  const cancellation = new Cancellation()
  signal.addEventListener('abort', () => cancellation.cancel())
  const headers = ['x-request-id', newRequestId()]
  const { head, stream } = await hasura.execute({ body: INTROSPECTION_BODY, isQuery: true, headers, cancellation })
  if (stream === undefined) return head.toString()
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > SCHEMA_MAX_BYTES) stream.destroy(new SchemaError(`the schema is larger than ${SCHEMA_MAX_BYTES} bytes`))
  })
  return text(stream)
}

/** Types the operations by what Hasura tells of itself, in the background; gives what ends that. */
function useIntrospection({ operations, hasura, log }: FastifyInstance): () => void {
  let toldOf = ''
  return retryUntilDone({
    attempt: async signal => {
      await operations.useSchema(schemaFromIntrospection(await introspect(hasura, signal)), signal)
      for (const [{ name }, problems] of operations.problems) log.error(describeMisfit(name, problems))
      log.info(
        { operations: operations.operations.length, misfits: operations.problems.size },
        "stored operations are typed by Hasura's schema"
      )
    },
    onFailure: (error, retryInMs) => {
      const reason = error instanceof Error ? error.message : String(error)
      const level = reason === toldOf ? 'debug' : 'warn'
      toldOf = reason
      log[level]({ retryInSeconds: Math.round(retryInMs / 1000) }, `stored operations run typed by their declarations alone: ${reason}`)
    }
  })
}

export default fp(
  async app => {
    const { OPERATIONS_DIR: folder, HASURA_SCHEMA_FILE: schemaFile, GRAPHQL_ADHOC: isAdhocAllowed } = app.config
    const files = readOperationFolder(folder)
    const operations = new OperationCatalog(parseOperations(files), parseExact)
    app.decorate('operations', operations)
    if (files.ignored.length > 0)
      app.log.warn({ files: files.ignored }, 'these are no stored operations, since their names do not end in .graphql')
    const count = operations.operations.length
    if (count === 0) {
      if (!isAdhocAllowed) app.log.warn({ folder }, 'nothing can run: GRAPHQL_ADHOC is false, and there are no stored operations')
      return
    }
    app.log.info({ folder, count }, 'stored operations')
    if (schemaFile !== undefined) return useSchemaFile(app, schemaFile)

    let stop = () => {}
    app.addHook('onReady', async () => {
      stop = useIntrospection(app)
    })
    app.addHook('onClose', async () => stop())
  },
  { name: 'operations', dependencies: ['config', 'hasura'] }
)
