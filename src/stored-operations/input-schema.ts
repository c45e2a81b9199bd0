// What an operation takes, as JSON schemas: input objects and enums are shared components, so that recursive ones end.
import {
  type GraphQLEnumType,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField
} from 'graphql'
import { formOf } from './input-type.ts'
import type { JsonSchema } from './scalar-forms.ts'

/** The shared schemas of a document by name. */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {}
  readonly #reserved: ReadonlySet<string>

  /** @param reserved names that the document has given away already */
  constructor(reserved: Iterable<string> = []) {
    this.#reserved = new Set(reserved)
  }

  /** A reference to a type's schema, which is made at the first. */
  refer(name: string, make: () => JsonSchema): JsonSchema {
    const key = this.#reserved.has(name) ? `${name}_` : name
    if (!Object.hasOwn(this.schemas, key)) {
      // Set before it is made, since it may refer to itself.
      this.schemas[key] = {}
      this.schemas[key] = make()
    }
    return { $ref: `#/components/schemas/${key}` }
  }
}

/** The schema of a value of a type; null is among its values where the type allows it. */
export function inputSchema(type: GraphQLInputType, components: Components): JsonSchema {
  return isNonNullType(type) ? presentSchema(type.ofType, components) : orNull(presentSchema(type, components))
}

/** The schema of a value that is not null. */
export function presentSchema(type: GraphQLInputType, components: Components): JsonSchema {
  if (isNonNullType(type)) return presentSchema(type.ofType, components)
  if (isListType(type)) return { type: 'array', items: inputSchema(type.ofType, components) }
  if (isEnumType(type)) return enumSchema(type, components)
  if (isInputObjectType(type)) return components.refer(type.name, () => objectSchema(type, components))
  const { answer, input } = formOf(type)
  return input ?? answer
}

/** An enum as a shared component. */
export const enumSchema = (type: GraphQLEnumType, components: Components): JsonSchema =>
  components.refer(type.name, () => ({
    type: 'string',
    enum: type.getValues().map(({ name }) => name),
    ...described(type.description)
  }))

/** A schema that takes null as well. */
export function orNull(schema: JsonSchema): JsonSchema {
  if (typeof schema.type === 'string') return { ...schema, type: [schema.type, 'null'] }
  if (Array.isArray(schema.type)) return { ...schema, type: [...schema.type, 'null'] }
  // Without a type it takes null already, unless it refers to another or is a choice.
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] }
  return '$ref' in schema ? { anyOf: [schema, { type: 'null' }] } : schema
}

/** The `description` of a schema, where there is one. */
export const described = (description: string | null | undefined): JsonSchema => (description ? { description } : {})

function objectSchema(type: GraphQLInputObjectType, components: Components): JsonSchema {
  const fields = Object.entries(type.getFields())
  const required = fields.filter(([, field]) => isRequiredInputField(field)).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(field, components)])),
    ...(required.length > 0 && { required }),
    ...(type.isOneOf && { minProperties: 1, maxProperties: 1 }),
    additionalProperties: false,
    ...described(type.description)
  }
}

const fieldSchema = (field: GraphQLInputField, components: Components): JsonSchema => ({
  ...inputSchema(field.type, components),
  ...described(field.description),
  ...(field.deprecationReason != null && { deprecated: true })
})
