// Collects the fields that a selection requests from one object type, through fragments (GraphQL specification, "Field collection").
import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type SelectionSetNode
} from 'graphql'

/** A selection, and whether a directive may exclude it. */
export type Selection = { readonly selectionSet: SelectionSetNode; readonly isConditional: boolean }

/** The field selected under one key of the answer. */
export type CollectedField = {
  readonly node: FieldNode
  /** Whether the field is always in the answer, because no directive can exclude it. */
  isCertain: boolean
  /** The selections below the field, which are merged. */
  readonly selections: Selection[]
}

/** Returns a function that collects fields by their keys in the answer, in the order of the selection. */
export function createFieldCollector(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
  const applies = (condition: string | undefined, type: GraphQLObjectType): boolean => {
    if (condition === undefined || condition === type.name) return true
    const named = schema.getType(condition)
    return isAbstractType(named) && schema.isSubType(named, type)
  }

  const collect = (type: GraphQLObjectType, { selectionSet, isConditional }: Selection, fields: Map<string, CollectedField>): void => {
    for (const node of selectionSet.selections) {
      const presence = presenceOf(node.directives)
      if (presence === 'never') continue
      const isMaybe = isConditional || presence === 'maybe'
      if (node.kind === Kind.FIELD) addField(fields, node, isMaybe)
      else {
        const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
        if (fragment === undefined || !applies(fragment.typeCondition?.name.value, type)) continue
        collect(type, { selectionSet: fragment.selectionSet, isConditional: isMaybe }, fields)
      }
    }
  }

  return (type: GraphQLObjectType, selections: readonly Selection[]): Map<string, CollectedField> => {
    const fields = new Map<string, CollectedField>()
    for (const selection of selections) collect(type, selection, fields)
    return fields
  }
}

function addField(fields: Map<string, CollectedField>, node: FieldNode, isConditional: boolean): void {
  const key = node.alias?.value ?? node.name.value
  const known = fields.get(key)
  const field = known ?? { node, isCertain: false, selections: [] }
  if (!known) fields.set(key, field)
  if (!isConditional) field.isCertain = true
  if (node.selectionSet) field.selections.push({ selectionSet: node.selectionSet, isConditional })
}

/** Returns whether `@skip` and `@include` keep a selection: always, never, or depending on a variable. */
function presenceOf(directives: readonly DirectiveNode[] = []): 'always' | 'maybe' | 'never' {
  let presence: 'always' | 'maybe' = 'always'
  for (const { name, arguments: given } of directives) {
    if (name.value !== 'skip' && name.value !== 'include') continue
    const condition = given?.find(argument => argument.name.value === 'if')?.value
    if (condition?.kind !== Kind.BOOLEAN) presence = 'maybe'
    else if (condition.value === (name.value === 'skip')) return 'never'
  }
  return presence
}

/** Returns the selections below a field; if it is selected in only one place, that selection is unconditional within the field. */
export const selectionsBelow = ({ selections }: CollectedField): readonly Selection[] =>
  selections.length === 1 ? selections.map(selection => ({ ...selection, isConditional: false })) : selections
