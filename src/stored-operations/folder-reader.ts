// Reads the folder of stored operations as it was at one moment, although its files may be replaced meanwhile.
import { foldersOf, type OperationFolder, readOperationFolder } from './operation-folder.ts'
import { lookAtFile, lookAtFolders } from './watch-files.ts'

/** How often a folder is read again because it changed meanwhile; then what was read is taken as it is, and the next look corrects it. */
const READS_MAX = 10

/** Reads a folder again and again. */
export type FolderReader = {
  /** Returns a text that changes with the folder, and with the file that is watched beside it. */
  look(): Promise<string>
  /** Whether a look differs from that of the last read. */
  isNews(look: string): boolean
  read(): Promise<OperationFolder>
}

/** @param besides a file that is looked at too, but not read */
export function createFolderReader(folder: string, besides: string | undefined): FolderReader {
  let seen: string | undefined
  const look = async () => {
    const looks = await Promise.all([lookAtFolders(foldersOf(folder)), besides === undefined ? '' : lookAtFile(besides)])
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
