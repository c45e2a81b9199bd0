// The files of the GraphQL explorer, as a browser gets them.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import type { PackedAssets } from './pack-assets.ts'

/** The script that starts GraphiQL in the page. */
const START_SCRIPT = new URL('./start-graphiql.js', import.meta.url)

/** Version of the package that GraphiQL comes from; it stands in the addresses of its files, which a browser may so keep for good. */
export const explorerVersion: string = createRequire(import.meta.url)('@graphql-yoga/render-graphiql/package.json').version

/** Names of all files. */
export const ASSET_NAMES = ['graphiql.css', 'graphiql.js', 'editor.worker.js', 'json.worker.js', 'graphql.worker.js', 'start.js'] as const

/** A file by its name, gzipped. */
export type ExplorerAssets = ReadonlyMap<string, Buffer>

/** Reads and compresses the files, 9 MB of text, in a thread of its own; take it once, when the explorer is first opened. */
export async function loadExplorerAssets(): Promise<ExplorerAssets> {
  // TypeScript as this file, or JavaScript in the image, where both are of the bundle and side by side.
  const worker = new Worker(new URL(`./pack-assets${extname(import.meta.filename)}`, import.meta.url))
  const [packed]: PackedAssets[] = await once(worker, 'message')
  const files = Object.entries(packed ?? {}).map(([name, bytes]): [string, Buffer] => [name, Buffer.from(bytes)])
  return new Map([...files, ['start.js', gzipSync(readFileSync(START_SCRIPT))]])
}
