// npm run bench:instructions: counts the instructions of a request with callgrind, which differ by less than 1 % between runs on a busy machine.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { type Bench, CONNECTIONS, contenderNamed, withContender } from './measure.ts'
import { wholeNumber } from './options.ts'
import { runMain, withScratch } from './run-main.ts'
import { findTools } from './tools.ts'
import { startUpstream } from './upstream.ts'
import { REQUEST_BODY } from './workload.ts'

const USAGE = `node bench/instructions.ts [options]
  --connections N  connections of the load (${CONNECTIONS})
  --requests N     counted requests (3000)
  --warm-up N      requests before these, in which V8 compiles what is hot (40000)`

type Options = { connections: number; requests: number; warmUp: number }

/** @throws {TypeError} or {RangeError} for an unknown option or a number out of range */
function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      connections: { type: 'string', default: String(CONNECTIONS) },
      requests: { type: 'string', default: '3000' },
      'warm-up': { type: 'string', default: '40000' }
    }
  })
  return {
    connections: wholeNumber('connections', values.connections, 1, 1_000),
    requests: wholeNumber('requests', values.requests, 1, 1_000_000),
    warmUp: wholeNumber('warm-up', values['warm-up'], 1, 1_000_000)
  }
}

/** Counts the instructions of a contender in user mode, for one request. */
async function count(bench: Bench, name: string, { connections, requests, warmUp }: Options, settings = {}): Promise<number> {
  const contender = contenderNamed(name)
  const counts = join(mkdtempSync(join(bench.folder, 'counts-')), 'callgrind')
  const flags = ['--tool=callgrind', '--instr-atstart=no', '--smc-check=all-non-file', '--trace-children=yes']
  const counted: typeof contender = {
    ...contender,
    async spec(at, port) {
      const { command, args, ...rest } = await contender.spec(at, port)
      return { ...rest, command: 'valgrind', args: [...flags, `--callgrind-out-file=${counts}`, command, ...args] }
    }
  }
  return withContender(bench, counted, { settings }, async ({ url, pid }) => {
    const { origin, pathname: path } = new URL(url)
    const pool = new Pool(origin, { connections })
    const headers = { 'content-type': 'application/json' }
    const load = async (count: number) => {
      let left = count
      const ask = async () => {
        while (left-- > 0) {
          const { statusCode, body } = await pool.request({ method: 'POST', path, headers, body: REQUEST_BODY })
          await body.dump()
          if (statusCode !== 200) throw new Error(`${name} answered ${statusCode}`)
        }
      }
      await Promise.all(Array.from({ length: connections }, ask))
    }
    const control = (...options: string[]) => execFileSync('callgrind_control', [...options, String(pid)], { stdio: 'ignore' })
    await load(warmUp)
    control('--instr=on')
    // Callgrind now translates all code again.
    await load(requests / 4)
    control('--zero')
    await load(requests)
    control('--dump')
    await pool.destroy()
    const totals = readdirSync(dirname(counts)).map(file => /^totals: (\d+)$/m.exec(readFileSync(join(dirname(counts), file), 'utf8'))?.[1])
    return Math.max(...totals.map(total => Number(total ?? 0))) / requests
  })
}

async function main(options: Options): Promise<void> {
  const tools = findTools()
  await withScratch(async (folder, cognito) => {
    const upstream = await startUpstream(tools, folder)
    const bench = {
      options: { only: undefined, seconds: 0, warmUpSeconds: 0, rounds: 1, details: false, write: false },
      tools,
      upstream,
      cognito,
      folder
    }
    const show = (title: string, instructions: number) => console.log(`${title.padEnd(24)}${Math.round(instructions).toLocaleString('en')}`)
    console.log('instructions a request, in user mode')
    show('this service', await count(bench, 'ours', options))
    show('with LOG_LEVEL=silent', await count(bench, 'ours', options, { LOG_LEVEL: 'silent' }))
    show('the floor', await count(bench, 'floor', options))
  })
}

await runMain(readOptions, USAGE, main)
