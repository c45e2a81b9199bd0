// The tables of bench/start.ts, in Markdown.
import type { LoadedModules } from '../test/support/loaded-modules.ts'
import { median } from './measure.ts'
import type { MemoryParts } from './memory-parts.ts'
import { type Marks, machine, table } from './report.ts'
import { type Life, SCHEMA_SECONDS, SCHEMA_TABLES, type Start } from './start-figures.ts'
import type { StartOptions } from './start-options.ts'

/** What was measured in one place; lists hold a figure for each round, in the same order. */
export type PlaceFigures = {
  name: string
  bareMs: readonly number[]
  bareMiB: number
  /** Starts with nothing compiled; empty if that is not possible. */
  firstStarts: readonly Start[]
  starts: readonly Start[]
  lives: readonly Life[]
  modules: LoadedModules
  largeSchemaMiB: number
}

/** The marks around the tables in docs/performance.md. */
export const START_MARKS: Marks = {
  begin: '<!-- start measured: begin. Written by npm run bench:start; edit outside of these two marks. -->',
  end: '<!-- start measured: end -->'
}

/** The packages below this number of modules share a row. */
const MODULES_SHOWN_FROM = 5

/** All tables. */
export function describeStarts(options: StartOptions, places: readonly PlaceFigures[]): string {
  return [introduction(options), mainTable(options, places), partsTable(places), modulesTable(places)].join('\n\n')
}

function introduction({ rounds }: StartOptions): string {
  return `${machine()}
${rounds} interleaved rounds, medians; in brackets the lowest and the highest figure. No process was bound to a core.`
}

function mainTable({ idleSeconds }: StartOptions, places: readonly PlaceFigures[]): string {
  const requests = places.flatMap(({ lives }) => lives.flatMap(({ loaded }) => loaded?.requests ?? []))
  const row = (title: string, cell: (place: PlaceFigures) => string) => [title, ...places.map(cell)]
  const loads = (place: PlaceFigures) => place.lives.flatMap(({ loaded }) => loaded ?? [])
  const rows = [
    row('bare `node -e 0`, ms', place => spread(place.bareMs, 0)),
    row('start of the process to its first answered query, ms', place => spread(msOf(place.starts), 0)),
    row('the same in times of bare Node.js', place => spread(inBare(place), 2)),
    row('the very first start, which finds nothing compiled, ms', place => spread(msOf(place.firstStarts), 0)),
    row('resident at the first answered query, MiB', ({ starts }) => spread(miBOf(starts), 0)),
    row(`resident ${idleSeconds} s later, idle, MiB`, ({ lives }) =>
      spread(
        lives.map(({ idleMiB }) => idleMiB),
        0
      )
    ),
    ...(requests.length > 0
      ? [
          row(`resident after ${median(requests).toLocaleString('en')} small requests, MiB`, place => spread(miBOf(loads(place)), 0)),
          row('CPU of one of these, µs', place =>
            spread(
              loads(place).map(({ cpuMicroseconds }) => cpuMicroseconds),
              0
            )
          )
        ]
      : []),
    row('resident, bare Node.js at rest, MiB', ({ bareMiB }) => bareMiB.toFixed(0)),
    row(`resident ${SCHEMA_SECONDS} s after a start with ${SCHEMA_TABLES} tables and stored operations, MiB`, place =>
      place.largeSchemaMiB.toFixed(0)
    ),
    row('modules loaded', ({ modules }) => modules.total.toLocaleString('en'))
  ]
  return table(['', ...places.map(({ name }) => name)], rows)
}

function partsTable(places: readonly PlaceFigures[]): string {
  const columns = places.flatMap(({ name, lives }) => {
    const loaded = lives.flatMap(life => life.loaded?.parts ?? [])
    return [
      { name: `${name}, idle`, parts: lives.map(({ idleParts }) => idleParts) },
      ...(loaded.length > 0 ? [{ name: `${name}, after the requests`, parts: loaded }] : [])
    ]
  })
  const rows = Object.entries(PART_TITLES).map(([part, title]) => [
    title,
    ...columns.map(({ parts }) => median(parts.map(each => each[part as keyof MemoryParts])).toFixed(1))
  ])
  return `Resident memory by part, in MiB:\n\n${table(['part', ...columns.map(({ name }) => name)], rows)}`
}

const PART_TITLES: Record<keyof MemoryParts, string> = {
  files: 'mapped files: the Node.js binary and libraries',
  code: 'machine code and bytecode',
  heap: "V8's heap beside these",
  external: 'external to the heap: text of scripts, WebAssembly',
  arrayBuffers: 'array buffers',
  rest: "the rest: allocator, Node.js's own, stacks"
}

function modulesTable(places: readonly PlaceFigures[]): string {
  const counts = places.map(({ modules: { files, packages, builtins } }) => ({
    'own files': files.length,
    'built into Node.js': builtins.length,
    ...packages
  }))
  const most = (name: string) => Math.max(...counts.map(count => (count as Record<string, number>)[name] ?? 0))
  const names = [...new Set(counts.flatMap(count => Object.keys(count)))].sort((a, b) => most(b) - most(a) || a.localeCompare(b))
  const shown = names.filter(name => most(name) >= MODULES_SHOWN_FROM)
  const rest = names.filter(name => !shown.includes(name))
  const sumOf = (count: Record<string, number>, wanted: readonly string[]) =>
    String(wanted.reduce((sum, name) => sum + (count[name] ?? 0), 0))
  const rows = [
    ...shown.map(name => [name, ...counts.map(count => sumOf(count, [name]))]),
    [`${rest.length} other packages`, ...counts.map(count => sumOf(count, rest))]
  ]
  return `Modules loaded by then, by package:\n\n${table(['package', ...places.map(({ name }) => name)], rows)}`
}

/** A start in times of the bare start of the same round. */
const inBare = ({ starts, bareMs }: PlaceFigures) => starts.map(({ ms }, round) => ms / (bareMs[round] ?? Number.NaN))
const msOf = (starts: readonly Start[]) => starts.map(({ ms }) => ms)
const miBOf = (list: readonly { residentMiB: number }[]) => list.map(({ residentMiB }) => residentMiB)

function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return '–'
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map(value => value.toFixed(digits))
  return values.length > 1 ? `${middle} (${low}–${high})` : `${middle}`
}
