// The shared schemas of the OpenAPI document, and names that are given only once.
import type { JsonSchema } from './scalar-schemas.ts'

/** Returns a name as it is, or with `_` after it if it is taken; a name is taken once it was returned. */
export type NameGiver = (name: string) => string

/** @param takenNames names that may not be given */
export function createNameGiver(takenNames: Iterable<string> = []): NameGiver {
  const taken = new Set(takenNames)
  return name => {
    let free = name
    while (taken.has(free)) free += '_'
    taken.add(free)
    return free
  }
}

/** Where schemas that several others refer to are kept. */
export interface SharedSchemas {
  /** Returns a reference to the schema of a GraphQL type, which is made for the first reference. */
  refer(typeName: string, make: () => JsonSchema): JsonSchema
}

/** Collects the shared schemas of a document. */
export class Components implements SharedSchemas {
  readonly schemas: Record<string, JsonSchema> = {}
  readonly #nameOnce: NameGiver
  readonly #keys = new Map<string, string>()

  /** @param takenNames names of schemas that the document has already */
  constructor(takenNames: Iterable<string> = []) {
    this.#nameOnce = createNameGiver(takenNames)
  }

  refer(typeName: string, make: () => JsonSchema): JsonSchema {
    let key = this.#keys.get(typeName)
    if (key === undefined) {
      key = this.#nameOnce(typeName)
      // Known before it is made: it may refer to itself.
      this.#keys.set(typeName, key)
      this.schemas[key] = {}
      this.schemas[key] = make()
    }
    return { $ref: `#/components/schemas/${key}` }
  }
}
