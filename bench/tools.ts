// Finds the programs and packages that the benchmark needs on this machine, and says how to install missing ones.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

/** The folder of the benchmark. */
export const BENCH_DIR = import.meta.dirname
/** The folder of the service. */
export const ROOT_DIR = join(BENCH_DIR, '..')

/** The tools found; undefined or false for missing ones. */
export type Tools = {
  /** Whether processes can be pinned to cores 0 and 1. */
  canPin: boolean
  nginx: string | undefined
  wrk: string | undefined
  /** A Python with flask, requests and gunicorn. */
  python: string | undefined
  httpProxy: boolean
  /** Path of Hive Gateway's command. */
  hive: string | undefined
  /** Path of autocannon's command. */
  autocannon: string | undefined
}

/** Looks for everything once, and leaves nothing running. */
export function findTools(): Tools {
  const npm = (path: string) => [join(BENCH_DIR, 'node_modules', path)].find(existsSync)
  return {
    canPin: availableParallelism() > 1 && runs('taskset', ['-c', '0,1', 'true']),
    nginx: ['nginx', '/usr/sbin/nginx'].find(command => runs(command, ['-v'])),
    // wrk exits with status 1 after printing its version.
    wrk: runs('wrk', ['-v'], 1) ? 'wrk' : undefined,
    python: ['python3', '/usr/bin/python3'].find(command => runs(command, ['-c', 'import flask, requests, gunicorn'])),
    httpProxy: npm('@fastify/http-proxy') !== undefined,
    hive: npm('@graphql-hive/gateway/dist/bin.js'),
    autocannon: npm('autocannon/autocannon.js')
  }
}

/** One line that says how to install what is missing; undefined if nothing is. */
export function missingLine(tools: Tools): string | undefined {
  const packages = [
    tools.nginx ? '' : 'nginx-light',
    tools.wrk ? '' : 'wrk',
    tools.python ? '' : 'gunicorn python3-flask python3-requests',
    tools.canPin || availableParallelism() < 2 ? '' : 'util-linux'
  ].filter(Boolean)
  const ways = [
    tools.httpProxy && tools.hive && tools.autocannon ? '' : 'npm ci --prefix bench',
    packages.length > 0 ? `apt-get install ${packages.join(' ')}` : ''
  ].filter(Boolean)
  return ways.length > 0
    ? `Some tools are missing, and their measurements are skipped. To install everything: ${ways.join(' && ')}`
    : undefined
}

function runs(command: string, args: readonly string[], status = 0): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === status
}
