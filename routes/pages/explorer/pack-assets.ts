// A worker thread that loads GraphiQL from its package and compresses it, so that neither delays requests.
import { parentPort } from 'node:worker_threads'
import { constants, gzipSync } from 'node:zlib'
import { css, editorWorkerService, graphqlWorker, js, jsonWorker } from '@graphql-yoga/render-graphiql/graphiql'

const sources = {
  'graphiql.css': css,
  'graphiql.js': js,
  'editor.worker.js': editorWorkerService,
  'json.worker.js': jsonWorker,
  'graphql.worker.js': graphqlWorker
}

/** The gzipped files of the explorer, by name. */
export type PackedAssets = Readonly<Record<keyof typeof sources, Uint8Array>>

const packed = Object.entries(sources).map(([name, text]) => [name, gzipSync(text, { level: constants.Z_BEST_SPEED })])
parentPort?.postMessage(Object.fromEntries(packed))
