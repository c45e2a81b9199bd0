// Decorates the instance with what gets Hasura's schema: from HASURA_SCHEMA_FILE, or else from Hasura.
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import fp from 'fastify-plugin'
import type { GraphQLSchema } from 'graphql'
import type { HasuraClient } from '../src/hasura/hasura-client.ts'
import { newRequestId } from '../src/request-id.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Returns the schema as it is now; the same object for as long as its text is the same.
     * @throws {SchemaError} for one that Hasura refuses to tell, that cannot be read or that makes no sense, and what a call of Hasura throws
     */
    getHasuraSchema(signal: AbortSignal): Promise<GraphQLSchema>
  }
}

/** The largest schema that is read, in bytes; 300 tables of Hasura make about ten million. */
const SCHEMA_MAX_BYTES = 100 * 1024 * 1024

/** What reads schemas. It is loaded with the first one that is wanted: without stored operations there is none. */
type Reading = typeof import('../src/stored-operations/hasura-schema.ts')

/** Asks Hasura for its schema, with the service's own token. */
async function introspect(hasura: HasuraClient, { INTROSPECTION_BODY, SchemaError }: Reading, signal: AbortSignal): Promise<string> {
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
      // Building a large schema holds up requests for a second.
      const read = file === undefined ? reading.schemaFromIntrospection : reading.schemaFromSdl
      if (last?.digest !== digest) last = { digest, schema: read(content) }
      return last.schema
    })
  },
  { name: 'hasuraSchema', dependencies: ['config', 'hasura'] }
)
