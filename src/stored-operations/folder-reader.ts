// Reads a consistent state of the folder of stored operations, even while its files are being replaced.
import { foldersOf, type OperationFolder, readOperationFolder } from './operation-folder.ts'
import { lookAtFile, lookAtFolders } from './watch-files.ts'

/** The most reads of a folder that keeps changing; the last one is used as it is, and the next look corrects it. */
const READS_MAX = 10

/** Reads a folder whenever it has changed. */
export type FolderReader = {
  /** Returns text that changes whenever the folder or the additional file changes. */
  look(): Promise<string>
  /** Whether a look differs from the one before the last read. */
  isNews(look: string): boolean
  read(): Promise<OperationFolder>
}

/** Creates a reader. @param additionalFile another file to watch for changes, which is not read */
export function createFolderReader(folder: string, additionalFile: string | undefined): FolderReader {
  let seen: string | undefined
  const look = async () => {
    const looks = await Promise.all([lookAtFolders(foldersOf(folder)), additionalFile === undefined ? '' : lookAtFile(additionalFile)])
    return looks.join('\n')
  }
  return {
    look,
    isNews: found => found !== seen,
    async read() {
      let before = await look()
      for (let reads = 1; ; reads++) {
        const files = readOperationFolder(folder)
        seen = before
        const after = await look()
        if (after === before || reads === READS_MAX) return files
        before = after
      }
    }
  }
}
