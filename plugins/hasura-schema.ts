// Decorates the instance with a function that gets Hasura's schema from HASURA_SCHEMA_FILE, or else by introspection.
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { GraphQLSchema } from 'graphql'
import { newRequestId } from '../src/request-id.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Returns the current schema; the same object for as long as its text does not change.
     * @throws {SchemaError} if the file cannot be read, Hasura does not return its schema, or the schema is invalid; also any error of the
     *   call to Hasura
     */
    getHasuraSchema(signal: AbortSignal): Promise<GraphQLSchema>
  }
}

/** The largest schema that is read from Hasura, in bytes; that of 300 tables has about ten million. */
const SCHEMA_MAX_BYTES = 100 * 1024 * 1024

/** The module that reads schemas. It is loaded on first use, since without stored operations no schema is needed. */
type Reading = typeof import('../src/stored-operations/hasura-schema.ts')

/** Requests the schema from Hasura with the service's own token. */
async function introspect(
  hasura: FastifyInstance['hasura'],
  { INTROSPECTION_BODY, SchemaError }: Reading,
  signal: AbortSignal
): Promise<string> {
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

async function readSchemaFile(path: string, { SchemaError }: Reading): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new SchemaError(`the file cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
}

export default fp(
  async app => {
    const {
      config: { HASURA_SCHEMA_FILE: file },
      hasura
    } = app
    let last: { digest: string; schema: GraphQLSchema } | undefined
    app.decorate('getHasuraSchema', async (signal: AbortSignal) => {
      const reading = await import('../src/stored-operations/hasura-schema.ts')
      const content = file === undefined ? await introspect(hasura, reading, signal) : await readSchemaFile(file, reading)
      const digest = hash('sha256', content)
      // Skipped if the text is the same, because building a large schema blocks requests for a second.
      const read = file === undefined ? reading.schemaFromIntrospection : reading.schemaFromSdl
      if (last?.digest !== digest) last = { digest, schema: read(content) }
      return last.schema
    })
  },
  { name: 'hasuraSchema', dependencies: ['config', 'hasura'] }
)
