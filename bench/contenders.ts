// The contenders: what each one is, whether it can run here, and how to start it.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { freePort } from '../test/support/free-port.ts'
import { npmStart } from '../test/support/npm-start.ts'
import { nginxSpec } from './nginx.ts'
import { type ProcessSpec, type RunningProcess, startProcess } from './processes.ts'
import { BENCH_DIR, type Tools } from './tools.ts'
import { untilServing } from './until-serving.ts'
import { REQUEST_BODY, TOKEN } from './workload.ts'

/** Where a contender is started. */
type Surroundings = {
  tools: Tools
  /** URL that it forwards to. */
  upstream: string
  cognito: string
  /** Folder for the files of this one start. */
  folder: string
  /** Settings of the service that differ from its defaults; the other contenders ignore them. */
  settings?: Readonly<Record<string, string>>
}

/** One contender. */
export type Contender = {
  name: string
  title: string
  /** Path that callers post to. */
  path: string
  canRun(tools: Tools): boolean
  spec(at: Surroundings, port: number): ProcessSpec | Promise<ProcessSpec>
}

/** A running contender. */
type RunningContender = { origin: string; url: string; process: RunningProcess }

const always = () => true
const contender = (file: string) => join(BENCH_DIR, 'contenders', file)

const nodeSpec = (file: string, { upstream, folder }: Surroundings, port: number): ProcessSpec => ({
  command: process.execPath,
  args: [contender(file)],
  core: 'service',
  env: { PORT: String(port), UPSTREAM: upstream, TOKEN },
  cwd: folder,
  output: join(folder, 'output.log')
})

/** In the order of the table. */
export const CONTENDERS: readonly Contender[] = [
  {
    name: 'ours',
    title: 'this service, all checks and logging on',
    path: '/execute-graphql',
    canRun: always,
    async spec({ upstream, cognito, folder, settings }, port) {
      const env = {
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        AWS_COGNITO_DOMAIN: cognito,
        AWS_COGNITO_APP_CLIENT_ID: 'bench',
        AWS_COGNITO_APP_CLIENT_SECRET: 'bench-secret',
        GRAPHQL_ENDPOINT: upstream,
        PORT: String(port),
        METRICS_PORT: String(await freePort()),
        ...settings
      }
      const [command, args] = npmStart(folder)
      return { command, args, core: 'service', env, cwd: folder, output: join(folder, 'service.log') }
    }
  },
  {
    name: 'floor',
    title: 'the floor: bare node:http and undici.dispatch, no checks',
    path: '/graphql',
    canRun: always,
    spec: (at, port) => nodeSpec('floor.ts', at, port)
  },
  {
    name: 'http-proxy',
    title: '@fastify/http-proxy with a fixed header',
    path: '/graphql',
    canRun: ({ httpProxy }) => httpProxy,
    spec: (at, port) => nodeSpec('http-proxy.ts', at, port)
  },
  {
    name: 'hive',
    title: 'Hive Gateway in proxy mode',
    path: '/graphql',
    canRun: ({ hive }) => hive !== undefined,
    spec({ tools, upstream, folder }, port) {
      const schema = ['--schema', contender('hive-schema.graphql'), '-c', contender('hive.config.ts')]
      const listening = ['--host', '127.0.0.1', '--port', String(port), '--fork', '1']
      const args = [tools.hive ?? '', 'proxy', upstream, ...schema, ...listening]
      return { command: process.execPath, args, core: 'service', env: { TOKEN }, cwd: folder, output: join(folder, 'output.log') }
    }
  },
  {
    name: 'fetch-parse',
    title: 'Fastify, fetch and graphql.parse for each request',
    path: '/graphql',
    canRun: always,
    spec: (at, port) => nodeSpec('fetch-parse.ts', at, port)
  },
  {
    name: 'flask',
    title: 'Flask and requests under gunicorn, 1 worker, 8 threads',
    path: '/graphql',
    canRun: ({ python }) => python !== undefined,
    spec({ tools, upstream, folder }, port) {
      const serving = ['-b', `127.0.0.1:${port}`, '-w', '1', '-k', 'gthread', '--threads', '8', '--keep-alive', '75']
      const args = ['-m', 'gunicorn', ...serving, '--worker-tmp-dir', folder, '--chdir', contender(''), 'flask_app:app']
      const env = { UPSTREAM: upstream, TOKEN, PYTHONDONTWRITEBYTECODE: '1' }
      return { command: tools.python ?? '', args, core: 'service', env, cwd: folder, output: join(folder, 'output.log') }
    }
  },
  {
    name: 'nginx',
    title: 'nginx with a fixed header, no log: the upper bound',
    path: '/graphql',
    canRun: ({ nginx }) => nginx !== undefined,
    spec({ tools, upstream, folder }, port) {
      const { host, pathname } = new URL(upstream)
      const http = `upstream hasura { server ${host}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 600s; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location = /graphql {
      proxy_pass http://hasura${pathname}; proxy_http_version 1.1;
      proxy_set_header Connection ''; proxy_set_header Authorization 'Bearer ${TOKEN}';
    }
  }`
      return nginxSpec(tools.nginx ?? '', 'service', folder, http)
    }
  }
]

/** Starts a contender and waits until it returns the upstream's response. */
export async function startContender(contender: Contender, at: Surroundings, expected: string): Promise<RunningContender> {
  mkdirSync(at.folder, { recursive: true })
  const port = await freePort()
  const started = startProcess(await contender.spec(at, port), at.tools.canPin)
  const origin = `http://127.0.0.1:${port}`
  const url = origin + contender.path
  await untilServing(started, url, async response => response.status === 200 && isSameJson(await response.text(), expected), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: REQUEST_BODY
  })
  return { origin, url, process: started }
}

/** Compares values, not bytes: some contenders serialise the response again, and Flask sorts its keys. */
const isSameJson = (text: string, expected: string) => text === expected || isDeepStrictEqual(JSON.parse(text), JSON.parse(expected))
