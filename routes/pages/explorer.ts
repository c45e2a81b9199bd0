// GET /graphiql: GraphiQL, served entirely from this service, with no inline scripts.
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyPluginAsync } from 'fastify'
import { acceptsGzip } from '../../src/graphql/accepts-gzip.ts'
import { serviceVersion } from '../../src/version.ts'
import { ASSET_NAMES, type ExplorerAssets, explorerVersion, loadExplorerAssets } from './explorer/assets.ts'
import { htmlPage } from './page.ts'

const unzip = promisify(gunzip)
/** The path contains both versions, so it changes with each release and a browser may cache the files forever. */
const FOLDER = `/graphiql/${explorerVersion}-${serviceVersion}`

const PAGE = htmlPage(
  'Explorer – Cognito-Hasura gateway',
  `<link rel="stylesheet" href="${FOLDER}/graphiql.css">
<style>
html, body, #root { height: 100%; margin: 0 }
@media (max-width: 48rem) {
  .graphiql-container .graphiql-sidebar { width: 44px; padding: 0 }
  .graphiql-container .graphiql-main, .graphiql-container .graphiql-sessions { min-width: 0 }
  .graphiql-container .graphiql-sessions { margin: 0 }
  .graphiql-container #graphiql-session { flex-direction: column }
  .graphiql-container .graphiql-response { padding-left: 8px }
  .graphiql-container :is(.graphiql-logo, .graphiql-horizontal-drag-bar) { display: none }
}
</style>`,
  `<noscript>The explorer needs JavaScript.</noscript>
<div id="root"></div>
<script src="${FOLDER}/graphiql.js"></script>
<script src="${FOLDER}/start.js"></script>`
)

const routes: FastifyPluginAsync = async app => {
  let assets: Promise<ExplorerAssets> | undefined
  const options = { schema: { hide: true }, config: { isQuiet: true } }

  app.get('/graphiql', options, async (_, reply) => reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(PAGE))

  for (const name of ASSET_NAMES) {
    app.get(`${FOLDER}/${name}`, options, async (request, reply) => {
      assets ??= loadExplorerAssets().catch(error => {
        assets = undefined
        throw error
      })
      const file = (await assets).get(name)
      const isZipped = acceptsGzip(request.headers['accept-encoding'])
      if (isZipped) reply.header('content-encoding', 'gzip')
      reply.vary('accept-encoding')
      return reply
        .type(name.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8')
        .header('cache-control', 'private, max-age=31536000, immutable')
        .send(isZipped ? file : await unzip(file ?? ''))
    })
  }
}

export default routes
