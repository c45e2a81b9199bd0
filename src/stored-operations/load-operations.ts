// Loads the operations of a folder; after a change, keeps the last good version of each file that is now bad.
import { dirname } from 'node:path'
import { Kind } from 'graphql/language'
import type { OperationFolder, SourceFile } from './operation-folder.ts'
import { type FileProblem, OperationsError } from './operations-error.ts'
import { type ParsedFolder, parseFolder } from './parse-operations.ts'
import { locatedDocument, type StoredOperation } from './stored-operation.ts'
import { problemsWithoutSchema } from './validate-operation.ts'

/** A folder as it was read, and the operations that were loaded from it. */
export type LoadedOperations = {
  readonly folder: OperationFolder
  /** In the order of the files. */
  readonly operations: readonly StoredOperation[]
  /** Why files were refused. The previous version of a refused file stays among the operations. */
  readonly problems: readonly FileProblem[]
}

/**
 * Loads a folder at start.
 * @throws {OperationsError} that names every bad file
 */
export function loadOperations(folder: OperationFolder): LoadedOperations {
  const loaded = reloadOperations(folder, {
    folder: { operations: [], fragments: [], ignored: [], problems: [] },
    operations: [],
    problems: []
  })
  if (loaded.problems.length > 0) throw new OperationsError(loaded.problems)
  return loaded
}

/** Reloads a folder. An unchanged operation, and the list if nothing changed, is the same object as before. */
export function reloadOperations(folder: OperationFolder, previous: LoadedOperations): LoadedOperations {
  const known = unchangedOperations(folder, previous)
  const parsed = validOperations(folder, known, true)
  // Locations take most of the time and memory and only messages need them, so files are parsed again if there is a problem.
  const problems = parsed.problems.length > 0 ? [...validOperations(folder, known, false).problems] : []
  const byPath = new Map(parsed.operations.map(operation => [operation.path, operation]))
  const before = new Map(previous.operations.map(operation => [operation.path, operation]))
  const bad = new Set(problems.map(({ file }) => file))
  const present = new Set([...folder.operations.map(({ path }) => path), ...bad])
  for (const [path, operation] of before) {
    const isStillThere = present.has(path) || bad.has(dirname(path))
    if (isStillThere && !byPath.has(path)) byPath.set(path, outdated(operation))
  }
  refuseTwins(byPath, before, problems)
  const operations = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  const isUnchanged = operations.length === previous.operations.length && operations.every((one, at) => one === previous.operations[at])
  return { folder, operations: isUnchanged ? previous.operations : operations, problems }
}

/** Parses a folder, and refuses operations that are invalid under any schema. */
function validOperations(folder: OperationFolder, known: ReadonlyMap<string, StoredOperation>, noLocation: boolean): ParsedFolder {
  const { operations, problems } = parseFolder(folder, known, { noLocation })
  const faults = problemsWithoutSchema(operations.filter(({ path }) => !known.has(path)))
  return { operations: operations.filter(operation => !faults.has(operation)), problems: [...problems, ...[...faults.values()].flat()] }
}

/** Returns the operations whose files have not changed, by path. */
function unchangedOperations(folder: OperationFolder, previous: LoadedOperations): Map<string, StoredOperation> {
  if (!areSame(folder.fragments, previous.folder.fragments)) return new Map()
  const texts = new Map([...folder.operations, ...folder.fragments].map(({ path, text }) => [path, text]))
  const unchanged = previous.operations.filter(({ files }) => files.every(({ path, text }) => texts.get(path) === text))
  return new Map(unchanged.map(operation => [operation.path, operation]))
}

const areSame = (files: readonly SourceFile[], others: readonly SourceFile[]) =>
  files.length === others.length && files.every(({ path, text }, index) => others[index]?.path === path && others[index].text === text)

/** Marks an operation whose file has a newer version. Others may use newer fragments of the same names, so it is validated alone. */
const outdated = (operation: StoredOperation): StoredOperation =>
  operation.hasOwnFragments ? operation : { ...operation, hasOwnFragments: true }

/** If two files have the same operation name, refuses the one that did not have it before, or else the second. */
function refuseTwins(byPath: Map<string, StoredOperation>, before: ReadonlyMap<string, StoredOperation>, problems: FileProblem[]): void {
  const hadItsName = ({ path, operationName }: StoredOperation) => before.get(path)?.operationName === operationName
  for (let twins = findTwins(byPath); twins; twins = findTwins(byPath)) {
    const [refused, other] = hadItsName(twins[1]) ? twins : twins.toReversed()
    if (refused === undefined || other === undefined) return
    problems.push({ file: refused.path, line: lineOf(refused), reason: `${other.path} has an operation of the same name` })
    const old = before.get(refused.path)
    // This loop ends: the previous version has another name, and no two previous versions share one.
    if (old && !hadItsName(refused)) byPath.set(refused.path, outdated(old))
    else byPath.delete(refused.path)
  }
}

function findTwins(byPath: ReadonlyMap<string, StoredOperation>): [StoredOperation, StoredOperation] | undefined {
  const byName = new Map<string, StoredOperation>()
  for (const operation of byPath.values()) {
    const twin = byName.get(operation.operationName)
    if (twin) return twin.path < operation.path ? [twin, operation] : [operation, twin]
    byName.set(operation.operationName, operation)
  }
  return undefined
}

function lineOf(operation: StoredOperation): number {
  const { definitions } = locatedDocument(operation)
  return definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION)?.loc?.startToken.line ?? 1
}
