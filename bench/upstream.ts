// The upstream: an endpoint that refuses requests without a token and sends all others the same response.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { nginxSpec } from './nginx.ts'
import { type RunningProcess, startProcess } from './processes.ts'
import { BENCH_DIR, type Tools } from './tools.ts'
import { untilServing } from './until-serving.ts'
import { ANSWER_SIZES, answerOf, SMALL_ANSWER } from './workload.ts'

/** The upstream as contenders see it. */
export type Upstream = { origin: string; kind: string; process: RunningProcess }

/** Path of the small response. */
export const GRAPHQL_PATH = '/v1/graphql'

/** Starts nginx, or a small server in Node if nginx is not installed. */
export async function startUpstream(tools: Tools, folder: string): Promise<Upstream> {
  const port = await freePort()
  const files = join(folder, 'files')
  mkdirSync(files, { recursive: true })
  for (const [name, bytes] of Object.entries(ANSWER_SIZES)) writeFileSync(join(files, name), answerOf(bytes))
  const spec = tools.nginx
    ? nginxSpec(tools.nginx, 'load', join(folder, 'upstream'), nginxServer(port, folder))
    : {
        command: process.execPath,
        args: [join(BENCH_DIR, 'upstream-in-node.ts')],
        core: 'load' as const,
        env: { PORT: String(port), FILES: files },
        cwd: folder,
        output: join(folder, 'upstream.log')
      }
  const upstream = startProcess(spec, tools.canPin)
  const origin = `http://127.0.0.1:${port}`
  await untilServing(upstream, origin, response => response.status > 0)
  return { origin, kind: tools.nginx ? 'nginx' : 'a small server in Node', process: upstream }
}

function nginxServer(port: number, folder: string): string {
  // nginx serves static files only for GET; the internal redirect turns a POST into one.
  const larger = Object.keys(ANSWER_SIZES).map(
    name => `location = /v1/${name} { if ($http_authorization = '') { return 401; } error_page 405 =200 /files/${name}; return 405; }`
  )
  return `server {
    listen 127.0.0.1:${port} backlog=1024;
    location = ${GRAPHQL_PATH} { if ($http_authorization = '') { return 401; } return 200 '${SMALL_ANSWER}'; }
    ${larger.join('\n    ')}
    location /files/ { internal; root ${folder}; }
  }`
}
