// Collects the shared schemas of the OpenAPI document under unique names.
import type { JsonSchema } from './scalar-schemas.ts'

/** Returns a name unchanged, or with a number appended if the name is already taken; a returned name counts as taken. */
export type NameGiver = (name: string) => string

/** Creates a name giver. @param takenNames names that are already taken */
export function createNameGiver(takenNames: Iterable<string> = []): NameGiver {
  const taken = new Set(Array.from(takenNames, identifierOf))
  return name => {
    let free = name
    for (let n = 2; taken.has(identifierOf(free)); n++) free = `${name}${n}`
    taken.add(identifierOf(free))
    return free
  }
}

/** Client generators treat names that differ only in case and underscores as equal. */
const identifierOf = (name: string): string => name.replaceAll('_', '').toLowerCase()

/** A collection of schemas that others refer to. */
export interface SharedSchemas {
  /** Returns a reference to the schema of a GraphQL type; calls `make` on the first reference. */
  refer(typeName: string, make: () => JsonSchema): JsonSchema
}

/** Collects the shared schemas of a document. */
export class Components implements SharedSchemas {
  readonly schemas: Record<string, JsonSchema> = {}
  readonly #nameOnce: NameGiver
  readonly #keys = new Map<string, string>()

  /** @param takenNames names of schemas that the document already has */
  constructor(takenNames: Iterable<string> = []) {
    this.#nameOnce = createNameGiver(takenNames)
  }

  refer(typeName: string, make: () => JsonSchema): JsonSchema {
    let key = this.#keys.get(typeName)
    if (key === undefined) {
      key = this.#nameOnce(typeName)
      // Registered before it is made, because it may refer to itself.
      this.#keys.set(typeName, key)
      this.schemas[key] = {}
      this.schemas[key] = make()
    }
    return referenceTo(key)
  }

  /** Adds a schema that does not belong to a GraphQL type, and returns a reference to it. */
  add(name: string, schema: JsonSchema): JsonSchema {
    const key = this.#nameOnce(name)
    this.schemas[key] = schema
    return referenceTo(key)
  }
}

const referenceTo = (key: string): JsonSchema => ({ $ref: `#/components/schemas/${key}` })
