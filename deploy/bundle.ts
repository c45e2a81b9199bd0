// Bundles the service into one folder, which takes the place of `src` in the image: `node deploy/bundle.ts <folder>`
// in the project's root.
import { copyFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { build } from 'esbuild'

/** Packages that stay in node_modules, since a plain start loads none of them. What they have in common with the service, they load for themselves. */
const EXTERNAL = [
  // Read files beside their own: the pages of /documentation and /graphiql.
  '@fastify/swagger-ui',
  '@graphql-yoga/render-graphiql',
  // Large, and loaded when someone asks for the OpenAPI document, or with MCP_ENABLED, CALLER_AUTH=jwt, Redis or a subscription.
  '@fastify/swagger',
  '@modelcontextprotocol/sdk',
  'aws-jwt-verify',
  'ioredis',
  'ws',
  // Patch what Node loads, and are meant to be one instance for all; they reach the API of the bundle through its global registry.
  '@fastify/otel',
  '@opentelemetry/core',
  '@opentelemetry/exporter-trace-otlp-proto',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-node',
  // Fastify would load these for what src/schema-compilers.ts does, and for tests.
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request'
]

/** Where a process or a thread begins. They stand side by side, as do the parts that esbuild makes: a path beside `import.meta.url` stays right. */
const ENTRIES = ['src/start.js', 'src/healthcheck.ts', 'routes/pages/explorer/pack-assets.ts']
/** Read as it is, for a browser. */
const PAGE_SCRIPT = 'routes/pages/explorer/start-graphiql.js'

/** An ES module has no `require`, which the CommonJS packages of the bundle need for Node's modules: an import of node:http would load all of Node's fetch. */
const REQUIRE = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);"

const [outdir = 'dist'] = process.argv.slice(2)
await build({
  entryPoints: ENTRIES.map(path => ({ in: path, out: parse(path).name })),
  outdir,
  bundle: true,
  // What is loaded on demand is a file of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: EXTERNAL,
  banner: { js: REQUIRE },
  // For NODE_OPTIONS=--enable-source-maps; nothing reads them otherwise.
  sourcemap: 'linked',
  sourcesContent: false,
  // The text of what is loaded stays in memory; this spares 2 MiB of it.
  minifyWhitespace: true,
  lineLimit: 140,
  logLevel: 'warning'
})
await copyFile(PAGE_SCRIPT, join(outdir, parse(PAGE_SCRIPT).base))
