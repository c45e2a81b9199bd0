// How Fastify uses the schemas of routes: Ajv validates requests; response schemas only describe responses, which JSON.stringify writes.
import { Ajv, type AnySchema } from 'ajv'

/** Ajv options that skip validating our own schemas at start; strict mode still refuses unknown keywords. */
export const TRUSTED_SCHEMAS = { meta: false, validateSchema: false } as const

/** What Fastify passes to a validator compiler; its type `AjvCompile` omits that the schema is a member. */
type RouteSchema = { readonly schema: AnySchema }

function buildValidator(sharedSchemas: Readonly<Record<string, AnySchema | AnySchema[]>>) {
  const ajv = new Ajv({
    ...TRUSTED_SCHEMAS,
    schemas: Object.values(sharedSchemas).flat(),
    // A number in place of a string is the caller's mistake, which coercion would hide.
    coerceTypes: false,
    useDefaults: true,
    allowUnionTypes: true
  })
  return (route: AnySchema) => ajv.compile((route as RouteSchema).schema)
}

/**
 * The schema compilers for Fastify. Fastify's own ones load some 50 more modules at every start and generate code for three small
 * responses. A request schema with `format` fails at start, since ajv-formats is not installed.
 */
export const schemaController = { compilersFactory: { buildValidator, buildSerializer: () => () => JSON.stringify } }
