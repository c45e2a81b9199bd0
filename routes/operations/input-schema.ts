// Builds the JSON schemas of an operation's input. Input objects and enums are shared components, so that types may be recursive.
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
import type { SharedSchemas } from './components.ts'
import { type JsonSchema, scalarInput } from './scalar-schemas.ts'

/** Returns the schema of a type's values, including null if the type allows it. */
export function inputSchema(type: GraphQLInputType, components: SharedSchemas): JsonSchema {
  return isNonNullType(type) ? presentSchema(type.ofType, components) : orNull(presentSchema(type, components))
}

/** Returns the schema of a type's values other than null. */
export function presentSchema(type: GraphQLInputType, components: SharedSchemas): JsonSchema {
  if (isNonNullType(type)) return presentSchema(type.ofType, components)
  if (isListType(type)) return { type: 'array', items: inputSchema(type.ofType, components) }
  if (isEnumType(type)) return enumSchema(type, components)
  if (isInputObjectType(type)) return components.refer(type.name, () => objectSchema(type, components))
  return scalarInput(type)
}

/** Returns a reference to an enum, a shared component. */
export const enumSchema = (type: GraphQLEnumType, components: SharedSchemas): JsonSchema =>
  components.refer(type.name, () => ({
    type: 'string',
    enum: type.getValues().map(({ name }) => name),
    ...described(type.description)
  }))

/** Returns a schema that also accepts null. */
export function orNull(schema: JsonSchema): JsonSchema {
  if (typeof schema.type === 'string') return { ...schema, type: [schema.type, 'null'] }
  if (Array.isArray(schema.type)) return { ...schema, type: [...schema.type, 'null'] }
  // A schema without a type already accepts null, unless it is a reference or a choice.
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] }
  return '$ref' in schema ? { anyOf: [schema, { type: 'null' }] } : schema
}

/** Returns the `description` of a schema, if there is one. */
export const described = (description: string | null | undefined): JsonSchema => (description ? { description } : {})

function objectSchema(type: GraphQLInputObjectType, components: SharedSchemas): JsonSchema {
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

const fieldSchema = (field: GraphQLInputField, components: SharedSchemas): JsonSchema => ({
  ...inputSchema(field.type, components),
  ...described(field.description),
  ...(field.deprecationReason != null && { deprecated: true })
})
