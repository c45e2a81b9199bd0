// Loads the files of the GraphQL explorer, compressed for the browser.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import type { PackedAssets } from './pack-assets.ts'

/** The script that starts GraphiQL in the page. */
const START_SCRIPT = new URL('./start-graphiql.js', import.meta.url)

/** The version of the package that contains GraphiQL; part of the path of its files. */
export const explorerVersion: string = createRequire(import.meta.url)('@graphql-yoga/render-graphiql/package.json').version

/** The names of all files. */
export const ASSET_NAMES = ['graphiql.css', 'graphiql.js', 'editor.worker.js', 'json.worker.js', 'graphql.worker.js', 'start.js'] as const

/** The gzipped files, by name. */
export type ExplorerAssets = ReadonlyMap<string, Buffer>

/** Reads and compresses the files, 9 MB of text, in a separate thread; call it once, when the explorer is first opened. */
export async function loadExplorerAssets(): Promise<ExplorerAssets> {
  // The worker has this file's extension: .ts, or .js in the image, where the bundle places both in one folder.
  const worker = new Worker(new URL(`./pack-assets${extname(import.meta.filename)}`, import.meta.url))
  const [packed]: PackedAssets[] = await once(worker, 'message')
  const files = Object.entries(packed ?? {}).map(([name, bytes]): [string, Buffer] => [name, Buffer.from(bytes)])
  return new Map([...files, ['start.js', gzipSync(readFileSync(START_SCRIPT))]])
}
