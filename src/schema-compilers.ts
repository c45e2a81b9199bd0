// How Fastify uses the schemas of routes: Ajv checks requests; responses are written as they are, their schemas only describe them.
import { Ajv, type AnySchema } from 'ajv'

/** Schemas are our own, and tests compile each of them: checking them against JSON Schema itself would only slow down the start. */
export const TRUSTED_SCHEMAS = { meta: false, validateSchema: false } as const

/** What Fastify gives a compiler of validators; `AjvCompile` in its types leaves out that the schema is a member. */
type RouteSchema = { readonly schema: AnySchema }

function buildValidator(sharedSchemas: Readonly<Record<string, AnySchema | AnySchema[]>>) {
  const ajv = new Ajv({
    ...TRUSTED_SCHEMAS,
    schemas: Object.values(sharedSchemas).flat(),
    // A number for a string is the caller's mistake, not ours to mend.
    coerceTypes: false,
    useDefaults: true,
    allowUnionTypes: true
  })
  return (route: AnySchema) => ajv.compile((route as RouteSchema).schema)
}

/**
 * Gives Fastify its compilers. Its own ones load some 60 modules more at every start, and compile code to write three small responses.
 * Without ajv-formats, a schema with `format` is refused at the start.
 */
export const schemaController = { compilersFactory: { buildValidator, buildSerializer: () => () => JSON.stringify } }
