// Builds Hasura's schema from SDL or from an introspection answer.
import {
  buildClientSchema,
  buildSchema,
  GraphQLError,
  GraphQLSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  validateSchema
} from 'graphql'

/** Thrown if Hasura does not return its schema, or the schema is invalid; the message is for the operator. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/** The body of the introspection request, which every version of Hasura answers. */
export const INTROSPECTION_BODY = JSON.stringify({ query: getIntrospectionQuery() })

/**
 * Reads a schema in the GraphQL schema language.
 * @throws {SchemaError}
 */
export function schemaFromSdl(text: string): GraphQLSchema {
  try {
    return withCached(validated(() => buildSchema(text, { noLocation: true })))
  } catch {
    // Locations take half of a schema's memory and only messages need them, so the text is parsed again for them.
    return withCached(validated(() => buildSchema(text)))
  }
}

/**
 * Reads the answer to {@link INTROSPECTION_BODY}.
 * @throws {SchemaError} also if Hasura refused, as it does if introspection is turned off
 */
export function schemaFromIntrospection(text: string): GraphQLSchema {
  return validated(() => {
    const { data, errors } = (JSON.parse(text) ?? {}) as { data?: unknown; errors?: readonly { message?: unknown }[] }
    if (!data) throw new SchemaError(`Hasura does not return its schema: ${String(errors?.[0]?.message ?? 'no data').slice(0, 200)}`)
    return withCached(buildClientSchema(data as IntrospectionQuery))
  })
}

/** The directive that the service itself handles, added to the schema because only Hasura Cloud declares it. */
const CACHED = buildSchema('directive @cached(ttl: Int! = 60, refresh: Boolean! = false) on QUERY type Query { _: Int }').getDirective(
  'cached'
)

function withCached(schema: GraphQLSchema): GraphQLSchema {
  if (!CACHED || schema.getDirective(CACHED.name)) return schema
  const config = schema.toConfig()
  return new GraphQLSchema({ ...config, directives: [...config.directives, CACHED] })
}

function validated(build: () => GraphQLSchema): GraphQLSchema {
  try {
    const schema = build()
    const [problem] = validateSchema(schema)
    if (problem) throw problem
    return schema
  } catch (error) {
    if (error instanceof SchemaError) throw error
    const line = error instanceof GraphQLError ? error.locations?.[0]?.line : undefined
    const reason = error instanceof Error ? error.message.slice(0, 500) : String(error)
    throw new SchemaError(`the schema is invalid${line ? `, line ${line}` : ''}: ${reason}`, { cause: error })
  }
}
