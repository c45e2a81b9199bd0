// Builds the JSON schema of an operation's answer from its selection.
import {
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isScalarType,
  Kind
} from 'graphql'
import type { StoredOperation } from '../../src/stored-operations/stored-operation.ts'
import { type CollectedField, createFieldCollector, type Selection, selectionsBelow } from './collect-fields.ts'
import type { SharedSchemas } from './components.ts'
import { described, enumSchema, orNull } from './input-schema.ts'
import { type JsonSchema, scalarAnswer } from './scalar-schemas.ts'

/** Returns the schema of `data`, which accepts every answer that Hasura may send; undefined if Hasura has no operations of this kind. */
export function answerSchema(
  { kind, definition, ast }: StoredOperation,
  schema: GraphQLSchema,
  components: SharedSchemas
): JsonSchema | undefined {
  const root = schema.getRootType(kind)
  if (!root) return undefined
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of ast.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  const write = createSelectionWriter(schema, fragments, components)
  return write(root, [{ selectionSet: definition.selectionSet, isConditional: false }])
}

function createSelectionWriter(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>, components: SharedSchemas) {
  const collect = createFieldCollector(schema, fragments)

  const ofType = (type: GraphQLOutputType, selections: readonly Selection[]): JsonSchema =>
    isNonNullType(type) ? present(type.ofType, selections) : orNull(present(type, selections))

  const present = (type: GraphQLOutputType, selections: readonly Selection[]): JsonSchema => {
    if (isNonNullType(type)) return present(type.ofType, selections)
    if (isListType(type)) return { type: 'array', items: ofType(type.ofType, selections) }
    if (isScalarType(type)) return scalarAnswer(type)
    if (isEnumType(type)) return enumSchema(type, components)
    return ofComposite(type, selections)
  }

  const ofField = (parent: GraphQLObjectType, field: CollectedField): JsonSchema => {
    const definition = schema.getField(parent, field.node.name.value)
    if (!definition) return {}
    const { type, description, deprecationReason } = definition
    return {
      ...ofType(type, selectionsBelow(field)),
      ...(field.node.name.value !== '__typename' && described(description)),
      ...(deprecationReason != null && { deprecated: true })
    }
  }

  const ofObject = (type: GraphQLObjectType, selections: readonly Selection[], names: readonly string[]): JsonSchema => {
    const fields = [...collect(type, selections)]
    const schemaOf = (field: CollectedField) =>
      field.node.name.value === '__typename' ? { type: 'string', enum: names } : ofField(type, field)
    const required = fields.filter(([, { isCertain }]) => isCertain).map(([key]) => key)
    return {
      type: 'object',
      properties: Object.fromEntries(fields.map(([key, field]) => [key, schemaOf(field)])),
      ...(required.length > 0 && { required }),
      additionalProperties: false
    }
  }

  /** Types with the same selected fields share one alternative. */
  const ofComposite = (type: GraphQLCompositeType, selections: readonly Selection[]): JsonSchema => {
    if (!isAbstractType(type)) return ofObject(type, selections, [type.name])
    const alike = Map.groupBy(schema.getPossibleTypes(type), possible => JSON.stringify(ofObject(possible, selections, [])))
    const alternatives = [...alike.values()].flatMap(types => (types[0] ? [ofObject(types[0], selections, types.map(nameOf))] : []))
    const [only, second] = alternatives
    return only && !second ? only : { anyOf: alternatives }
  }

  return ofComposite
}

const nameOf = ({ name }: GraphQLObjectType) => name
