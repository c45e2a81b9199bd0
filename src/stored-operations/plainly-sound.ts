// A quick look that spares most operations the rules of graphql, which cost ten times as much; it never calls sound what is not.
import { Kind } from 'graphql'
import type { StoredOperation } from './stored-operation.ts'

/** A node of any kind: what is in it is found by its members. */
type AnyNode = { readonly kind?: string; readonly name?: { readonly value?: string }; readonly [member: string]: unknown }

/** What a definition holds, whatever its depth. */
type Findings = { readonly variables: Set<string>; readonly spreads: Set<string>; hasTwins: boolean }

/**
 * Whether an operation has all that it refers to and nothing twice. False where it takes a closer look: fragments that spread
 * others, and whatever is wrong.
 */
export function isPlainlySound({ ast, definition, variables }: StoredOperation): boolean {
  const declared = new Set(variables.map(({ name }) => name))
  const fragments = new Set(ast.definitions.flatMap(node => (node.kind === Kind.FRAGMENT_DEFINITION ? node.name.value : [])))
  const isTwice = declared.size < variables.length || fragments.size + 1 < ast.definitions.length
  const findings = ast.definitions.map(node => ({ isOperation: node === definition, ...find(node as unknown as AnyNode) }))
  return (
    !isTwice &&
    findings.every(
      ({ isOperation, variables, spreads, hasTwins }) =>
        !hasTwins &&
        variables.isSubsetOf(declared) &&
        (isOperation ? spreads.size === fragments.size && spreads.isSubsetOf(fragments) : spreads.size === 0)
    )
  )
}

function find(node: AnyNode): Findings {
  const findings: Findings = { variables: new Set(), spreads: new Set(), hasTwins: false }
  look(node, findings)
  return findings
}

function look(node: AnyNode, findings: Findings): void {
  if (node.kind === Kind.FRAGMENT_SPREAD) findings.spreads.add(node.name?.value ?? '')
  if (node.kind === Kind.VARIABLE) findings.variables.add(node.name?.value ?? '')
  for (const member in node) {
    const inner = node[member]
    if (member === 'loc' || member === 'name' || typeof inner !== 'object' || inner === null) continue
    if (!Array.isArray(inner)) look(inner as AnyNode, findings)
    else {
      if ((member === 'arguments' || member === 'fields') && hasTwins(inner)) findings.hasTwins = true
      for (const item of inner) look(item, findings)
    }
  }
}

const hasTwins = (nodes: readonly AnyNode[]) => nodes.length > 1 && new Set(nodes.map(({ name }) => name?.value)).size < nodes.length
