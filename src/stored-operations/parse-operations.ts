// Parses the files of a folder into operations, and says what is wrong with each bad file.
import { GraphQLError } from 'graphql/error'
import {
  type DefinitionNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type ParseOptions,
  parse,
  Source,
  visit
} from 'graphql/language'
import type { OperationFolder, SourceFile } from './operation-folder.ts'
import { type FileProblem, problemOf } from './operations-error.ts'
import { createStoredOperation, type StoredOperation } from './stored-operation.ts'

/** The operations of a folder, in the order of their files, and the problems of the other files. */
export type ParsedFolder = { readonly operations: readonly StoredOperation[]; readonly problems: readonly FileProblem[] }

/**
 * Parses each file of a folder on its own, without validation; operations with the same name are all returned.
 * @param known operations, by path, that were made from the same files before and are reused
 * @param options with `noLocation`, messages have no line, and ten thousand files are read in half the time
 */
export function parseFolder(folder: OperationFolder, known: ReadonlyMap<string, StoredOperation>, options: ParseOptions): ParsedFolder {
  const problems: FileProblem[] = [...folder.problems]
  const shared = sharedFragments(folder.fragments, options, problems)
  const operations = folder.operations.flatMap(file => known.get(file.path) ?? parseOperation(file, shared, options, problems) ?? [])
  return { operations, problems }
}

type SharedFragments = ReadonlyMap<string, { readonly node: FragmentDefinitionNode; readonly file: SourceFile }>

function definitionsOf({ path, text }: SourceFile, options: ParseOptions, problems: FileProblem[]): readonly DefinitionNode[] | undefined {
  try {
    return parse(new Source(text, path), options).definitions
  } catch (error) {
    if (error instanceof GraphQLError) problems.push(problemOf(error, path))
    else if (error instanceof RangeError) problems.push({ file: path, reason: 'is nested too deeply' })
    else throw error
    return undefined
  }
}

function sharedFragments(files: readonly SourceFile[], options: ParseOptions, problems: FileProblem[]): SharedFragments {
  const fragments = new Map<string, { node: FragmentDefinitionNode; file: SourceFile }>()
  for (const file of files) {
    for (const node of definitionsOf(file, options, problems) ?? []) {
      if (node.kind !== Kind.FRAGMENT_DEFINITION) problems.push({ ...placeOf(file, node), reason: 'only fragments are allowed here' })
      else if (fragments.has(node.name.value)) problems.push(sameName(file, node))
      else fragments.set(node.name.value, { node, file })
    }
  }
  return fragments
}

function parseOperation(
  file: SourceFile,
  shared: SharedFragments,
  options: ParseOptions,
  problems: FileProblem[]
): StoredOperation | undefined {
  const definitions = definitionsOf(file, options, problems)
  if (definitions === undefined) return undefined
  const before = problems.length
  const operation = soleOperation(file, definitions, problems)
  for (const node of definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION && shared.has(node.name.value)) problems.push(sameName(file, node))
  }
  if (operation === undefined || problems.length > before) return undefined
  const stored = createStoredOperation(file, operation, definitions, usedFragments(definitions, shared), problem => problems.push(problem))
  return problems.length > before ? undefined : stored
}

function soleOperation(
  file: SourceFile,
  definitions: readonly DefinitionNode[],
  problems: FileProblem[]
): OperationDefinitionNode | undefined {
  const strange = definitions.find(({ kind }) => kind !== Kind.OPERATION_DEFINITION && kind !== Kind.FRAGMENT_DEFINITION)
  const operations = definitions.filter(node => node.kind === Kind.OPERATION_DEFINITION)
  const [only, second] = operations
  const refuse = (reason: string, node?: DefinitionNode) => void problems.push({ ...placeOf(file, node), reason })
  if (strange) return refuse('only an operation and its fragments are allowed here', strange)
  if (only === undefined) return refuse('contains no operation')
  if (second !== undefined) return refuse(`contains ${operations.length} operations; only one is allowed`, second)
  if (only.name === undefined) return refuse('the operation has no name', only)
  return only
}

/** Returns the shared fragments that definitions use, directly or through other fragments; validation reports unknown ones. */
function usedFragments(definitions: readonly DefinitionNode[], shared: SharedFragments): Map<DefinitionNode, SourceFile> {
  const used = new Map<DefinitionNode, SourceFile>()
  const follow = (node: DefinitionNode) => {
    visit(node, {
      FragmentSpread({ name }) {
        const fragment = shared.get(name.value)
        if (fragment === undefined || used.has(fragment.node)) return
        used.set(fragment.node, fragment.file)
        follow(fragment.node)
      }
    })
  }
  if (shared.size > 0) definitions.forEach(follow)
  return used
}

const sameName = (file: SourceFile, node: FragmentDefinitionNode): FileProblem => ({
  ...placeOf(file, node),
  reason: `another file also defines the fragment ${node.name.value}`
})

function placeOf({ path }: SourceFile, node: DefinitionNode | undefined): Pick<FileProblem, 'file' | 'line'> {
  const line = node?.loc?.startToken.line
  return { file: path, ...(line !== undefined && { line }) }
}
