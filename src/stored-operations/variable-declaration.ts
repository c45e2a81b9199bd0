// What an operation declares of one of its variables.
import { type ConstValueNode, Kind, type OperationDefinitionNode, print, type TypeNode } from 'graphql'

/** A declared variable. */
export type VariableDeclaration = {
  readonly name: string
  /** As GraphQL writes it, such as `[Int!]!`. */
  readonly type: string
  readonly typeNode: TypeNode
  /** Whether a value must be given: it cannot be null, and there is no default. */
  readonly isRequired: boolean
  readonly defaultValue: ConstValueNode | undefined
  readonly description: string | undefined
}

/** Returns the variables of an operation, in its order. */
export function declarationsOf({ variableDefinitions = [] }: OperationDefinitionNode): VariableDeclaration[] {
  return variableDefinitions.map(({ variable, type, defaultValue, description }) => ({
    name: variable.name.value,
    type: print(type),
    typeNode: type,
    isRequired: type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined,
    defaultValue,
    description: description?.value
  }))
}

/** Returns the JSON value of a literal; numbers keep their digits. */
export function literalValue(node: ConstValueNode): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null
    case Kind.INT:
    case Kind.FLOAT:
      return JSON.rawJSON(node.value)
    case Kind.LIST:
      return node.values.map(literalValue)
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, literalValue(value)]))
    default:
      return node.value
  }
}
