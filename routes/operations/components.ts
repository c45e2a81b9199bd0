// The shared schemas of the OpenAPI document, and names that are given only once.
import type { JsonSchema } from './scalar-schemas.ts'

/** Returns a name as it is, or with a number after it if it is taken; a name is taken once it was returned. */
export type NameGiver = (name: string) => string

/** @param takenNames names that may not be given */
export function createNameGiver(takenNames: Iterable<string> = []): NameGiver {
  const taken = new Set(Array.from(takenNames, identifierOf))
  return name => {
    let free = name
    for (let n = 2; taken.has(identifierOf(free)); n++) free = `${name}${n}`
    taken.add(identifierOf(free))
    return free
  }
}

/** Names that differ in capitals and underscores alone are one for generators of clients. */
const identifierOf = (name: string): string => name.replaceAll('_', '').toLowerCase()

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
    return referenceTo(key)
  }

  /** Adds a schema that is no GraphQL type's and returns a reference to it. */
  add(name: string, schema: JsonSchema): JsonSchema {
    const key = this.#nameOnce(name)
    this.schemas[key] = schema
    return referenceTo(key)
  }
}

const referenceTo = (key: string): JsonSchema => ({ $ref: `#/components/schemas/${key}` })
