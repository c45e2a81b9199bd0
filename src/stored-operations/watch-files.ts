// Looks at files again and again, and says when they have changed and hold still.
import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'

/** How often files are looked at, in ms. Polling notices every way of replacing them, also that of a Kubernetes volume. */
export const LOOK_MS = 1_000
/** When files that have changed are looked at again, in ms: someone may be in the middle of copying them. */
export const STILL_MS = 100
/** A look takes at most one part in so many of the time, however many files there are. */
const SHARE = 100
/** How many files are looked at at once; more would keep Node's thread pool from other work. */
const BATCH_SIZE = 32

/** Returns a text that changes with the files of folders: with their names, sizes, times of change and, behind links, the files themselves. */
export async function lookAtFolders(folders: readonly string[]): Promise<string> {
  const lists = await Promise.all(folders.map(async folder => (await namesIn(folder)).map(name => join(folder, name))))
  const paths = lists.flat()
  const looks: string[] = []
  for (let at = 0; at < paths.length; at += BATCH_SIZE) looks.push(...(await Promise.all(paths.slice(at, at + BATCH_SIZE).map(lookAtFile))))
  return looks.join('\n')
}

/** Returns a text that changes with a file. */
export async function lookAtFile(path: string): Promise<string> {
  const found: Pick<Stats, 'ino' | 'size' | 'mtimeMs'> | string = await stat(path).catch(codeOf)
  return typeof found === 'string' ? `${path} ${found}` : `${path} ${found.ino} ${found.size} ${found.mtimeMs}`
}

const namesIn = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(error => [codeOf(error)])
  return names.filter(name => !name.startsWith('.')).sort()
}

const codeOf = (error: NodeJS.ErrnoException): string => String(error.code)

/** What is watched. */
type Watched = {
  /** Returns a text that changes with the files. */
  look: () => Promise<string>
  /** Whether a look differs from what is in force. */
  isNews: (look: string) => boolean
  /** Called for a look that is news and was the same {@link STILL_MS} before. */
  onChange: () => void
  /** Default: the clock of this machine. */
  clock?: Clock
}

/** Starts to watch; returns a function that ends it. */
export function watchFiles({ look, isNews, onChange, clock = systemClock }: Watched): () => void {
  let cancelTimer = () => {}
  let isStopped = false
  let last: string | undefined

  const run = async (): Promise<void> => {
    const startedAtMs = clock.nowMs()
    const now = await look()
    if (isStopped) return
    const hasNews = isNews(now)
    if (hasNews && now === last) onChange()
    const isStill = now === last || !hasNews
    last = now
    const delayMs = Math.max(isStill ? LOOK_MS : STILL_MS, (clock.nowMs() - startedAtMs) * SHARE)
    cancelTimer = clock.setTimer(() => void run(), delayMs)
  }

  cancelTimer = clock.setTimer(() => void run(), LOOK_MS)
  return () => {
    isStopped = true
    cancelTimer()
  }
}
