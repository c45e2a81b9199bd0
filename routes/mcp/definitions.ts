// The schemas that a tool's schema refers to. A client reads each schema by itself, so it carries its own.
import type { SharedSchemas } from '../operations/components.ts'
import type { JsonSchema } from '../operations/scalar-schemas.ts'

/**
 * How many a schema may carry. A filter of Hasura leads to the filters of all related tables, which could be a megabyte for each tool;
 * types beyond this number take any value as far as the schema tells, and the service still checks them.
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

  /** Returns a schema together with all that it refers to. */
  complete(schema: JsonSchema): JsonSchema {
    const made: Record<string, JsonSchema> = {}
    // The loop also visits what is added meanwhile, so the types nearest to the schema come first.
    for (const [typeName, make] of this.#makers) made[typeName] = make()
    return this.#makers.size === 0 ? schema : { ...schema, $defs: made }
  }
}
