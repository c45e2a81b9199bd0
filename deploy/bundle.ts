// Bundles the service into one folder, which takes the place of `src` in the image: `node deploy/bundle.ts <folder>`
// in the project's root.
import { copyFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { build } from 'esbuild'

/** Packages that stay in node_modules, because a plain start loads none of them. They load their own copies of packages that they share with the service. */
const EXTERNAL = [
  // These read files from their own folders: the pages of /documentation and /graphiql.
  '@fastify/swagger-ui',
  '@graphql-yoga/render-graphiql',
  // Large, and loaded only for the OpenAPI document, MCP_ENABLED, CALLER_AUTH=jwt, Redis or a subscription.
  '@fastify/swagger',
  '@modelcontextprotocol/sdk',
  'aws-jwt-verify',
  'ioredis',
  'ws',
  // These patch modules and must have one instance; they reach the API in the bundle through its global registry.
  '@fastify/otel',
  '@opentelemetry/core',
  '@opentelemetry/exporter-trace-otlp-proto',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-node',
  // Fastify would load these for schema compilation, which src/schema-compilers.ts replaces, and for tests.
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request'
]

/** Entry points of processes and threads. All output files are in one folder, so that paths relative to `import.meta.url` stay valid. */
const ENTRIES = ['src/start.js', 'src/healthcheck.ts', 'routes/pages/explorer/pack-assets.ts']
/** A script for the browser, copied unchanged. */
const PAGE_SCRIPT = 'routes/pages/explorer/start-graphiql.js'

/** The CommonJS packages in the bundle need `require` for Node's modules, which an ES module lacks; an import of node:http would load all of Node's fetch. */
const REQUIRE = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);"

const [outdir = 'dist'] = process.argv.slice(2)
await build({
  entryPoints: ENTRIES.map(path => ({ in: path, out: parse(path).name })),
  outdir,
  bundle: true,
  // Code that is loaded on demand gets a separate file.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: EXTERNAL,
  banner: { js: REQUIRE },
  // Only NODE_OPTIONS=--enable-source-maps reads them.
  sourcemap: 'linked',
  sourcesContent: false,
  // The source text of loaded code stays in memory; this saves 2 MiB.
  minifyWhitespace: true,
  lineLimit: 140,
  logLevel: 'warning'
})
await copyFile(PAGE_SCRIPT, join(outdir, parse(PAGE_SCRIPT).base))
