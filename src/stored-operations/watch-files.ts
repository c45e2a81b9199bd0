// Polls files, and reports when they have changed and the change is complete.
import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'

/** How often files are polled, in ms. Polling notices every way of replacing them, including that of a Kubernetes volume. */
export const LOOK_MS = 1_000
/** How soon changed files are polled again, in ms, since someone may still be copying them. */
export const STILL_MS = 100
/** Polling takes at most one part in this many of the time, however many files there are. */
const SHARE = 100
/** How many files are polled in parallel; more would keep Node's thread pool from other work. */
const BATCH_SIZE = 32

/** Returns text that changes when files in the folders change: their names, sizes, modification times, or the files that links point to. */
export async function lookAtFolders(folders: readonly string[]): Promise<string> {
  const lists = await Promise.all(folders.map(async folder => (await namesIn(folder)).map(name => join(folder, name))))
  const paths = lists.flat()
  const looks: string[] = []
  for (let at = 0; at < paths.length; at += BATCH_SIZE) looks.push(...(await Promise.all(paths.slice(at, at + BATCH_SIZE).map(lookAtFile))))
  return looks.join('\n')
}

/** Returns text that changes when a file changes. */
export async function lookAtFile(path: string): Promise<string> {
  const found: Pick<Stats, 'ino' | 'size' | 'mtimeMs'> | string = await stat(path).catch(codeOf)
  return typeof found === 'string' ? `${path} ${found}` : `${path} ${found.ino} ${found.size} ${found.mtimeMs}`
}

const namesIn = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(error => [codeOf(error)])
  return names.filter(name => !name.startsWith('.')).sort()
}

const codeOf = (error: NodeJS.ErrnoException): string => String(error.code)

/** Options of {@link watchFiles}. */
type Watched = {
  /** Returns text that changes when the files change. */
  look: () => Promise<string>
  /** Whether a look differs from the state in use. */
  isNews: (look: string) => boolean
  /** Called when a new look was the same {@link STILL_MS} earlier. */
  onChange: () => void
  /** Default: the clock of this machine. */
  clock?: Clock
}

/** Starts watching; returns a function that stops it. */
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
