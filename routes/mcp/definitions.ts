// Collects the schemas that a tool's schema refers to. A client reads each tool's schema on its own, so each contains all it refers to.
import type { SharedSchemas } from '../operations/components.ts'
import type { JsonSchema } from '../operations/scalar-schemas.ts'

/**
 * The most definitions in one schema. A Hasura filter refers to the filters of all related tables, which could take a megabyte for each
 * tool. Beyond this number, the schema accepts any value of a type; the service still checks it.
 */
export const DEFINITIONS_MAX = 50

/** Collects the `$defs` of one schema (JSON Schema 2020-12, section 8.2.4). */
export class Definitions implements SharedSchemas {
  readonly #makers = new Map<string, () => JsonSchema>()

  refer(typeName: string, make: () => JsonSchema): JsonSchema {
    if (!this.#makers.has(typeName)) {
      if (this.#makers.size >= DEFINITIONS_MAX) return { description: `A value of the GraphQL type ${typeName}.` }
      this.#makers.set(typeName, make)
    }
    return { $ref: `#/$defs/${typeName}` }
  }

  /** Returns a schema with the definitions of everything that it refers to. */
  complete(schema: JsonSchema): JsonSchema {
    const made: Record<string, JsonSchema> = {}
    // The loop also visits definitions that are added meanwhile, so the types nearest to the schema come first.
    for (const [typeName, make] of this.#makers) made[typeName] = make()
    return this.#makers.size === 0 ? schema : { ...schema, $defs: made }
  }
}
