// nginx as an HTTP cache in front of a server, from Debian's package; tests that need it are skipped if it is missing.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { startTied } from './tied-process.ts'

/** Whether nginx is installed. */
export const hasNginx = spawnSync('nginx', ['-v']).status === 0

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${name};`).join(' ')

/** Starts nginx with `proxy_cache`; the header `x-proxy-cache` of its answers is `HIT`, `MISS` and so on. */
export async function startNginx(folder: string, upstream: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
    events {}
    http {
      access_log off; ${TEMPORARY}
      proxy_cache_path cache keys_zone=answers:1m;
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass ${upstream}; proxy_http_version 1.1; proxy_cache answers;
          add_header x-proxy-cache $upstream_cache_status always;
        }
      }
    }`
  )
  const nginx = startTied('nginx', ['-p', folder, '-c', file, '-e', 'error.log'])
  // nginx writes nothing to its output: it has started when it accepts a connection.
  while (!(await takesConnections(port))) await Promise.race([setTimeout(20), nginx.exited.then(failed)])
  return { url: `http://127.0.0.1:${port}`, stop: nginx.stop }
}

function failed(code: number | null): never {
  throw new Error(`nginx has ended with ${code}`)
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
