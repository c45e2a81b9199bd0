// Measures the depth, fields and aliases of a document with its fragments expanded.
import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql/language'
import { type DocumentLimits, NESTING_MAX, overLimit, overNesting } from './document-limits.ts'

/** The size of a document. A count may be Infinity, since a fragment that spreads the next one twice doubles it. */
type Extent = { depth: number; fields: number; aliases: number }

type Measured = Extent & { nesting: number }

/**
 * Measures a document: the greatest depth of its operations, and the fields and aliases of all its operations together.
 * Each fragment is measured once, so the cost is linear in the text however often fragments are spread.
 * @throws {GatewayError} `LIMIT_EXCEEDED` for a cycle of fragments, and for selections nested more than {@link NESTING_MAX} deep
 */
export function measureDocument(document: DocumentNode, { maxDepth }: Pick<DocumentLimits, 'maxDepth'>): Extent {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  const measured = new Map<string, Measured | 'under way'>()

  const measureFragment = (name: string, level: number): Measured | undefined => {
    const known = measured.get(name)
    if (known === 'under way') throw overLimit('GRAPHQL_MAX_DEPTH', maxDepth)
    if (known !== undefined) return known
    const fragment = fragments.get(name)
    if (fragment === undefined) return undefined
    measured.set(name, 'under way')
    const extent = measure(fragment.selectionSet, level)
    measured.set(name, extent)
    return extent
  }

  /** @param level how many selections enclose this one */
  const measure = ({ selections }: SelectionSetNode, level: number): Measured => {
    if (level >= NESTING_MAX) throw overNesting()
    const extent: Measured = { depth: 0, fields: 0, aliases: 0, nesting: 1 }
    for (const node of selections) {
      const isField = node.kind === Kind.FIELD
      if (isField) extent.fields++
      if (isField && node.alias !== undefined) extent.aliases++
      const inner =
        node.kind === Kind.FRAGMENT_SPREAD
          ? measureFragment(node.name.value, level + 1)
          : node.selectionSet && measure(node.selectionSet, level + 1)
      extent.depth = Math.max(extent.depth, (inner?.depth ?? 0) + (isField ? 1 : 0))
      extent.fields += inner?.fields ?? 0
      extent.aliases += inner?.aliases ?? 0
      extent.nesting = Math.max(extent.nesting, 1 + (inner?.nesting ?? 0))
    }
    if (level + extent.nesting > NESTING_MAX) throw overNesting()
    return extent
  }

  const whole: Extent = { depth: 0, fields: 0, aliases: 0 }
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) measureFragment(node.name.value, 0)
    if (node.kind !== Kind.OPERATION_DEFINITION) continue
    const { depth, fields, aliases } = measure(node.selectionSet, 0)
    whole.depth = Math.max(whole.depth, depth)
    whole.fields += fields
    whole.aliases += aliases
  }
  return whole
}
