// Turns the files of the folder into operations, and says what is wrong with each bad file.
import {
  type DefinitionNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type ParseOptions,
  parse,
  Source,
  visit
} from 'graphql'
import type { OperationFolder, SourceFile } from './operation-folder.ts'
import { type FileProblem, OperationsError, problemOf } from './operations-error.ts'
import { createStoredOperation, type StoredOperation } from './stored-operation.ts'
import { problemsWithoutSchema } from './validate-operation.ts'

/**
 * Returns the operations of a folder, in the order of their files.
 * @throws {OperationsError} that names every bad file
 */
export function parseOperations(folder: OperationFolder): StoredOperation[] {
  const sound = parseFolder(folder, { noLocation: true })
  if (sound.problems.length === 0) return sound.operations
  // Only messages need places, and without them ten thousand files are read in half the time.
  throw new OperationsError(parseFolder(folder, { noLocation: false }).problems)
}

type SharedFragments = ReadonlyMap<string, { readonly node: FragmentDefinitionNode; readonly file: SourceFile }>

function parseFolder(folder: OperationFolder, options: ParseOptions) {
  const problems: FileProblem[] = [...folder.problems]
  const shared = sharedFragments(folder.fragments, options, problems)
  const operations: StoredOperation[] = []
  const byOperationName = new Map<string, StoredOperation>()
  for (const file of folder.operations) {
    const operation = parseOperation(file, shared, options, problems)
    if (operation === undefined) continue
    const twin = byOperationName.get(operation.operationName)
    if (twin) problems.push({ ...placeOf(file, operation.definition), reason: `${twin.path} has an operation of the same name` })
    byOperationName.set(operation.operationName, operation)
    operations.push(operation)
  }
  for (const found of problemsWithoutSchema(operations).values()) problems.push(...found)
  return { operations, problems }
}

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
      if (node.kind !== Kind.FRAGMENT_DEFINITION) problems.push({ ...placeOf(file, node), reason: 'only fragments may stand here' })
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
  return createStoredOperation(file, operation, definitions, usedFragments(definitions, shared))
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
  if (strange) return refuse('only an operation and its fragments may stand here', strange)
  if (only === undefined) return refuse('holds no operation')
  if (second !== undefined) return refuse(`holds ${operations.length} operations; a file holds one`, second)
  if (only.name === undefined) return refuse('the operation has no name', only)
  return only
}

/** Returns the shared fragments that definitions use, also by way of other fragments; validation finds those that do not exist. */
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
  reason: `another file has a fragment ${node.name.value} as well`
})

function placeOf({ path }: SourceFile, node: DefinitionNode | undefined): Pick<FileProblem, 'file' | 'line'> {
  const line = node?.loc?.startToken.line
  return { file: path, ...(line !== undefined && { line }) }
}
