// Reads all files in the folder of stored operations. Requests never read files, so they cannot name a path.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { FileProblem } from './operations-error.ts'

/** The subfolder with fragments for all operations. */
const FRAGMENTS_FOLDER = 'fragments'

/** A file as it was read; `name` is without extension. */
export type SourceFile = { readonly name: string; readonly path: string; readonly text: string }

/** The content of a folder of stored operations, sorted by name. */
export type OperationFolder = {
  readonly operations: readonly SourceFile[]
  readonly fragments: readonly SourceFile[]
  /** Paths of all other files and folders that are not hidden. */
  readonly ignored: readonly string[]
  readonly problems: readonly FileProblem[]
}

/** Returns the folders that are read: the folder itself and the one of shared fragments. */
export const foldersOf = (folder: string): string[] => [folder, join(folder, FRAGMENTS_FOLDER)]

const FILE_NAME = /^([A-Za-z0-9_-]+)\.graphql$/

/** Reads every file; a folder that does not exist counts as empty. Files that cannot be read are among the problems. */
export function readOperationFolder(folder: string): OperationFolder {
  const problems: FileProblem[] = []
  const ignored: string[] = []
  const operations = readFiles(folder, problems, ignored, [FRAGMENTS_FOLDER])
  const fragments = readFiles(join(folder, FRAGMENTS_FOLDER), problems, ignored)
  return { operations, fragments, ignored, problems }
}

function readFiles(folder: string, problems: FileProblem[], ignored: string[], known: readonly string[] = []): SourceFile[] {
  const files: SourceFile[] = []
  for (const entry of namesIn(folder, problems)) {
    const path = join(folder, entry)
    const name = FILE_NAME.exec(entry)?.[1]
    // In a folder that Kubernetes mounts, there are hidden folders next to the files.
    if (entry.startsWith('.') || known.includes(entry)) continue
    if (name !== undefined) attempt(path, problems, () => files.push({ name, path, text: readFileSync(path, 'utf8') }))
    else if (/\.(graphql|gql)$/i.test(entry))
      problems.push({ file: path, reason: 'the file name must consist of [A-Za-z0-9_-] and end in .graphql' })
    else ignored.push(path)
  }
  return files
}

function namesIn(folder: string, problems: FileProblem[]): string[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return []
  let names: string[] = []
  attempt(folder, problems, () => {
    names = readdirSync(folder).sort()
  })
  return names
}

function attempt(path: string, problems: FileProblem[], read: () => void): void {
  try {
    read()
  } catch (error) {
    problems.push({ file: path, reason: `cannot be read (${(error as NodeJS.ErrnoException).code})` })
  }
}
