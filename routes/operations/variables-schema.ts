// Builds the JSON schema of an operation's variables.
import type { GraphQLInputType, GraphQLSchema } from 'graphql'
import { inputTypeOf } from '../../src/stored-operations/input-type.ts'
import type { VariableDeclaration } from '../../src/stored-operations/stored-operation.ts'
import type { SharedSchemas } from './components.ts'
import { described, inputSchema } from './input-schema.ts'
import type { JsonSchema } from './scalar-schemas.ts'

/** A variable, and its type. */
export type TypedVariable = { readonly variable: VariableDeclaration; readonly type: GraphQLInputType }

/**
 * Returns variables with their types.
 * @param schema without it, only built-in scalars are known
 */
export const typedVariables = (variables: readonly VariableDeclaration[], schema: GraphQLSchema | undefined): TypedVariable[] =>
  variables.map(variable => ({ variable, type: inputTypeOf(variable.typeNode, schema) }))

/** Returns the schema of an object whose members are the variables. */
export function variablesSchema(typed: readonly TypedVariable[], shared: SharedSchemas): JsonSchema {
  const required = typed.filter(({ variable }) => variable.isRequired).map(({ variable }) => variable.name)
  return {
    type: 'object',
    properties: Object.fromEntries(typed.map(one => [one.variable.name, variableSchema(one, inputSchema(one.type, shared))])),
    ...(required.length > 0 && { required }),
    additionalProperties: false
  }
}

/** Returns the schema of one variable: that of its type, with the variable's description and default. */
export const variableSchema = ({ variable: { defaultValue, description } }: TypedVariable, schema: JsonSchema): JsonSchema => ({
  ...schema,
  ...described(description),
  ...(defaultValue !== undefined && { default: defaultValue })
})
