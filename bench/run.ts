// npm run bench: compares the service with its peers on this machine, in one table.
import { join } from 'node:path'
import { writeChart } from './chart.ts'
import { CONTENDERS } from './contenders.ts'
import { measureOneConnection, measureVariations } from './details.ts'
import { type Bench, contenderNamed, inRounds, measure, medianOf } from './measure.ts'
import { type BenchOptions, readOptions, USAGE } from './options.ts'
import { describe, type Results, writePage } from './report.ts'
import { runMain, saveFigures, withScratch } from './run-main.ts'
import { findTools, missingLine, ROOT_DIR } from './tools.ts'
import { startUpstream } from './upstream.ts'

/** Measures everything that the options ask for. */
async function runBench(bench: Bench, failed: string[]): Promise<Results> {
  const { options, tools } = bench
  const names = (options.only ?? CONTENDERS.map(({ name }) => name)).filter(name => contenderNamed(name).canRun(tools))
  console.log('Contenders')
  const measured = await inRounds(options.rounds, names, name => measure(bench, contenderNamed(name)), failed)
  const contenders = new Map([...measured].map(([name, measurements]) => [name, medianOf(measurements)]))
  if (!options.details) return { contenders }
  console.log('Other loads')
  const variations = await measureVariations(bench, failed)
  console.log('One connection, p50 in ms')
  return { contenders, details: { variations, oneConnection: await measureOneConnection(bench, failed) } }
}

/** Saves the figures for later comparison, and writes the page if the options ask for it. */
function keep(bench: Bench, results: Results): void {
  const measured = describe(bench, results)
  console.log(`\n${measured}\n`)
  saveFigures('', results)
  if (!bench.options.write) return
  writePage(join(ROOT_DIR, 'docs/performance.md'), measured)
  const bars = CONTENDERS.flatMap(({ name, title }) => {
    const value = results.contenders.get(name)?.requestsPerSecond
    return value === undefined ? [] : [{ label: title, value, isOurs: name === 'ours' }]
  })
  writeChart(join(ROOT_DIR, 'docs/performance.svg'), 'Requests per second on one core, 64 connections, small responses', bars)
}

async function main(options: BenchOptions): Promise<void> {
  const tools = findTools()
  const missing = missingLine(tools)
  if (missing) console.log(missing)
  if (!tools.wrk && !tools.autocannon) throw new Error('neither wrk nor autocannon is installed')
  const failed: string[] = []
  await withScratch(async (folder, cognito) => {
    const bench = { options, tools, upstream: await startUpstream(tools, folder), cognito, folder }
    keep(bench, await runBench(bench, failed))
  })
  if (failed.length > 0) throw new Error(`failed: ${failed.join(', ')}`)
}

/** The options, whose contenders must be known. */
function readKnown(args: readonly string[]): BenchOptions {
  const options = readOptions(args)
  for (const name of options.only ?? []) contenderNamed(name)
  return options
}

await runMain(readKnown, USAGE, main)
