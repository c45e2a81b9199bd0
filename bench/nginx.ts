// Runs nginx as a single process that writes everything to one folder.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Core, ProcessSpec } from './processes.ts'

/** Writes a configuration around the given contents of `http`, and returns the command that starts nginx with it. */
export function nginxSpec(nginx: string, core: Core, folder: string, http: string): ProcessSpec {
  mkdirSync(folder, { recursive: true })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${join(folder, kind)};`)
  const conf = join(folder, 'nginx.conf')
  // One process without a master behaves like one worker, and is easier to measure and to stop.
  writeFileSync(
    conf,
    `daemon off; master_process off; worker_processes 1; pid ${join(folder, 'nginx.pid')}; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; default_type application/json; sendfile on; tcp_nopush on;
  keepalive_requests 1000000000; keepalive_timeout 600s; client_max_body_size 1m;
  ${temporary.join(' ')}
  ${http}
}
`
  )
  return { command: nginx, args: ['-e', 'stderr', '-c', conf], core, cwd: folder, output: join(folder, 'output.log') }
}
