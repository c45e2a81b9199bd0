// Writes the measurements into docs/performance.md, between two markers; the rest of the page stays as it is.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { CONTENDERS } from './contenders.ts'
import type { OneConnection, VariationResult } from './details.ts'
import type { Bench, Measurement } from './measure.ts'

/** Everything that a run measured; the optional parts are missing if they were skipped. */
export type Results = {
  contenders: ReadonlyMap<string, Measurement>
  details?: { variations: readonly VariationResult[]; oneConnection: OneConnection }
}

/** The two marks between which a run writes. */
export type Marks = { begin: string; end: string }

const MARKS: Marks = {
  begin: '<!-- measured: begin. Written by npm run bench; edit outside of these two marks. -->',
  end: '<!-- measured: end -->'
}

/** The measured part of the page, in Markdown. */
export function describe(bench: Bench, { contenders, details }: Results): string {
  const parts = [conditionsOf(bench), contenderTable(contenders)]
  if (details) parts.push(variationTable(details.variations), oneConnectionTable(details.oneConnection))
  return parts.join('\n\n')
}

/** Puts the measured part into the page. */
export function writePage(path: string, measured: string, marks: Marks = MARKS): void {
  const page = readFileSync(path, 'utf8')
  const begin = page.indexOf(marks.begin)
  const end = page.indexOf(marks.end)
  if (begin < 0 || end < begin) throw new Error(`${path} has lost its marks:\n${marks.begin}\n${marks.end}`)
  writeFileSync(path, `${page.slice(0, begin) + marks.begin}\n\n${measured}\n\n${page.slice(end)}`)
}

/** The machine, Node.js and the day, in one line. */
export function machine(): string {
  const [first] = cpus()
  return `${cpus().length} cores (${first?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}, ${new Date().toISOString().slice(0, 10)}.`
}

function conditionsOf({ options, tools, upstream }: Bench): string {
  const pinning = tools.canPin
    ? 'Each contender ran alone on core 0; the load and the upstream shared core 1.'
    : 'Processes could not be pinned: contenders, load and upstream shared all cores.'
  const load = tools.wrk ? 'wrk' : 'autocannon'
  return `## Measured

${machine()}
${pinning} Load by ${load}, 64 connections, ${options.rounds} interleaved rounds of ${options.seconds} s after ${options.warmUpSeconds} s of warm-up, medians. Upstream: ${upstream.kind} with a single response of 200 bytes;
it refuses requests without a token. CPU is the total of the contender's own processes. To repeat the run: \`npm run bench\`.`
}

function contenderTable(results: ReadonlyMap<string, Measurement>): string {
  const ours = results.get('ours')
  const rows = [...results].map(([name, measurement]) => {
    const ratio = ours ? `${(ours.requestsPerSecond / measurement.requestsPerSecond).toFixed(2)}` : '–'
    return [titleOf(name), ...figures(measurement), name === 'ours' ? '1' : ratio]
  })
  return `![Requests per second by contender](performance.svg)

${table(['contender', ...FIGURES, 'ours ÷ it'], rows)}`
}

function variationTable(variations: readonly VariationResult[]): string {
  const rows = variations.map(({ title, contender, measurement }) => [title, contender, ...figures(measurement)])
  return `### Other loads

${table(['load', 'contender', ...FIGURES], rows)}`
}

function oneConnectionTable(times: OneConnection): string {
  const direct = times.get('direct')
  const nginx = times.get('nginx')
  const rows = [...times].map(([name, ms]) => {
    const added = direct === undefined ? Number.NaN : ms - direct
    const overNginx = nginx === undefined || direct === undefined || name === 'direct' ? '–' : (added / (nginx - direct)).toFixed(2)
    return [name, micros(ms), name === 'direct' ? '–' : micros(added), overNginx]
  })
  return `### One connection

${table(['contender', 'p50, µs', 'added to direct, µs', 'times what nginx adds'], rows)}`
}

const FIGURES = ['requests/s', 'p50, ms', 'p99, ms', 'CPU µs/request', 'peak memory, MiB']

function figures(measurement: Measurement): string[] {
  const { requestsPerSecond, p50Ms, p99Ms, cpuMicroseconds, peakMiB } = measurement
  return [count(requestsPerSecond), p50Ms.toFixed(2), p99Ms.toFixed(2), count(cpuMicroseconds), count(peakMiB)]
}

const titleOf = (name: string) => CONTENDERS.find(contender => contender.name === name)?.title ?? name
const count = (value: number) => Math.round(value).toLocaleString('en')
const micros = (ms: number) => Math.round(ms * 1000).toLocaleString('en')

/** A Markdown table; the first column is left-aligned. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
