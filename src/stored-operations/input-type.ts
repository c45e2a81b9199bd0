// The type of a variable, from a schema where there is one, else as its declaration has it.
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

/** Scalars that stand for a type of which the name alone is known. */
const assumed = new WeakSet<GraphQLScalarType>()

/** The type that a declaration means. What the schema does not know, or all but GraphQL's own scalars without one, may have any value. */
export function inputTypeOf(node: TypeNode, schema: GraphQLSchema | undefined): GraphQLInputType {
  if (node.kind === Kind.NON_NULL_TYPE) return new GraphQLNonNull(inputTypeOf(node.type, schema) as GraphQLNullableInputType)
  if (node.kind === Kind.LIST_TYPE) return new GraphQLList(inputTypeOf(node.type, schema))
  const name = node.name.value
  const known = schema?.getType(name) ?? BUILT_IN.get(name)
  return known && isInputType(known) ? known : assumedType(name)
}

function assumedType(name: string): GraphQLScalarType {
  const type = new GraphQLScalarType({ name })
  assumed.add(type)
  return type
}

/** How a scalar is checked: one of which only the name is known takes anything, though its name says how text is read. */
export function formOf(type: GraphQLScalarType): ScalarForm {
  const form = SCALAR_FORMS.get(type.name) ?? UNKNOWN_SCALAR
  return assumed.has(type) ? { ...UNKNOWN_SCALAR, ...(form.text === 'number' && { text: form.text }) } : form
}
