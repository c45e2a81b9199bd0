// Finds the type of a variable: from the schema if there is one, else from its declaration.
import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLNullableInputType,
  GraphQLScalarType,
  type GraphQLSchema,
  GraphQLString,
  isInputType,
  Kind,
  type TypeNode
} from 'graphql'
import { SCALAR_FORMS, type ScalarForm, UNKNOWN_SCALAR } from './scalar-forms.ts'

const BUILT_IN = new Map([GraphQLInt, GraphQLFloat, GraphQLString, GraphQLBoolean, GraphQLID].map(type => [type.name, type]))

/** Stands for a type of which only the name is known. */
class AssumedScalar extends GraphQLScalarType {}

/** Returns the type in a declaration. A type that is neither in the schema nor built into GraphQL accepts any value. */
export function inputTypeOf(node: TypeNode, schema: GraphQLSchema | undefined): GraphQLInputType {
  if (node.kind === Kind.NON_NULL_TYPE) return new GraphQLNonNull(inputTypeOf(node.type, schema) as GraphQLNullableInputType)
  if (node.kind === Kind.LIST_TYPE) return new GraphQLList(inputTypeOf(node.type, schema))
  const name = node.name.value
  const known = schema?.getType(name) ?? BUILT_IN.get(name)
  return known && isInputType(known) ? known : new AssumedScalar({ name })
}

/** Returns how a scalar is read and checked. One known only by name accepts anything, but its name says how a query string is read. */
export function formOf(type: GraphQLScalarType): ScalarForm {
  const form = SCALAR_FORMS.get(type.name) ?? UNKNOWN_SCALAR
  return type instanceof AssumedScalar ? { ...UNKNOWN_SCALAR, ...(form.text === 'number' && { text: form.text }) } : form
}
