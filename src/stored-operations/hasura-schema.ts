// Reads Hasura's schema from a file's text or from an answer to introspection.
import {
  buildClientSchema,
  buildSchema,
  GraphQLError,
  GraphQLSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  validateSchema
} from 'graphql'

/** Thrown for a schema that Hasura refuses to tell or that makes no sense; the message is for the operator. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/** The body of the request for the schema, in a form that every version of Hasura answers. */
export const INTROSPECTION_BODY = JSON.stringify({ query: getIntrospectionQuery() })

/**
 * Reads a schema in the GraphQL schema language.
 * @throws {SchemaError}
 */
export function schemaFromSdl(text: string): GraphQLSchema {
  try {
    return withCached(sound(() => buildSchema(text, { noLocation: true })))
  } catch {
    // Only messages need places, which take half of the memory of a schema.
    return withCached(sound(() => buildSchema(text)))
  }
}

/**
 * Reads the answer to {@link INTROSPECTION_BODY}.
 * @throws {SchemaError} also if Hasura refused, as it does while introspection is turned off
 */
export function schemaFromIntrospection(text: string): GraphQLSchema {
  return sound(() => {
    const { data, errors } = (JSON.parse(text) ?? {}) as { data?: unknown; errors?: readonly { message?: unknown }[] }
    if (!data) throw new SchemaError(`Hasura does not tell its schema: ${String(errors?.[0]?.message ?? 'no data').slice(0, 200)}`)
    return withCached(buildClientSchema(data as IntrospectionQuery))
  })
}

/** The directive that the service itself understands, whether Hasura knows it or not: only Hasura Cloud does. */
const CACHED = buildSchema('directive @cached(ttl: Int! = 60, refresh: Boolean! = false) on QUERY type Query { _: Int }').getDirective(
  'cached'
)

function withCached(schema: GraphQLSchema): GraphQLSchema {
  if (!CACHED || schema.getDirective(CACHED.name)) return schema
  const config = schema.toConfig()
  return new GraphQLSchema({ ...config, directives: [...config.directives, CACHED] })
}

function sound(build: () => GraphQLSchema): GraphQLSchema {
  try {
    const schema = build()
    const [problem] = validateSchema(schema)
    if (problem) throw problem
    return schema
  } catch (error) {
    if (error instanceof SchemaError) throw error
    const line = error instanceof GraphQLError ? error.locations?.[0]?.line : undefined
    const reason = error instanceof Error ? error.message.slice(0, 500) : String(error)
    throw new SchemaError(`the schema makes no sense${line ? `, line ${line}` : ''}: ${reason}`, { cause: error })
  }
}
