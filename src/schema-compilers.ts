// How Fastify uses the schemas of routes: Ajv checks requests; a response is written as it is, its schema only describes it.
import { Ajv, type AnySchema } from 'ajv'

/** Options of Ajv that spare the start a check of our own schemas against JSON Schema; its strict mode still refuses unknown keywords. */
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
 * Gives Fastify the compilers of schemas. Its own ones load some 50 more modules at every start, and make code to write three small
 * responses. A request's schema with `format` is refused at the start, since there is no ajv-formats.
 */
export const schemaController = { compilersFactory: { buildValidator, buildSerializer: () => () => JSON.stringify } }
