// npm run bench:start: how fast the service answers its first query, beside bare Node.js in the same run, how much memory it uses and what it loads.
import { join } from 'node:path'
import { median } from './measure.ts'
import { containerPlace, type Place, sourcePlace } from './places.ts'
import { writePage } from './report.ts'
import { runMain, saveFigures, withScratch } from './run-main.ts'
import {
  bareMiB,
  followStart,
  type Life,
  listModules,
  measureLargeSchema,
  type Rig,
  type Start,
  timeBare,
  timeStart
} from './start-figures.ts'
import { readStartOptions, START_USAGE, type StartOptions } from './start-options.ts'
import { describeStarts, type PlaceFigures, START_MARKS } from './start-report.ts'
import { findTools, ROOT_DIR } from './tools.ts'
import { GRAPHQL_PATH, startUpstream } from './upstream.ts'

/** Measuring memory takes more than a minute per start, and memory varies less than time. */
const LIVES_MAX = 3
/** Bare Node.js ends so soon that one start says little; a round uses the median of this many. */
const BARE_STARTS = 5

async function measureStarts(rig: Rig, folder: string, options: StartOptions): Promise<PlaceFigures[]> {
  const places = [sourcePlace(folder), ...(options.container === undefined ? [] : [containerPlace(options.container, folder)])]
  // Not counted: this start compiles the code for the others.
  for (const place of places) await timeStart(rig, place)
  const measured = places.map(place => ({ place, times: noTimes(), lives: [] as Life[] }))
  for (let round = 1; round <= options.rounds; round++) {
    for (const { place, times } of measured) console.log(`  round ${round}  ${place.name}  ${await timeRound(rig, place, times)}`)
  }
  for (let round = 1; round <= Math.min(options.rounds, LIVES_MAX); round++) {
    for (const { place, lives } of measured) {
      const life = await followStart(rig, place, options.idleSeconds, options.requests)
      lives.push(life)
      console.log(
        `  memory ${round}  ${place.name}  ${life.idleMiB.toFixed(0)} MiB idle, ${life.loaded?.residentMiB.toFixed(0) ?? '–'} after the requests`
      )
    }
  }
  const figures: PlaceFigures[] = []
  for (const { place, times, lives } of measured) {
    const modules = await listModules(rig, place)
    const largeSchemaMiB = await measureLargeSchema(rig, place)
    figures.push({ name: place.name, ...times, lives, bareMiB: await bareMiB(place), modules, largeSchemaMiB })
  }
  return figures
}

const noTimes = () => ({ bareMs: [] as number[], firstStarts: [] as Start[], starts: [] as Start[] })

/** Times bare Node.js, the very first start, and one like most, and says so in a line. */
async function timeRound(rig: Rig, place: Place, { bareMs, firstStarts, starts }: ReturnType<typeof noTimes>): Promise<string> {
  const bares: number[] = []
  for (let n = 0; n < BARE_STARTS; n++) bares.push(await timeBare(place))
  const bare = median(bares)
  bareMs.push(bare)
  const first = place.fresh && (await timeStart(rig, place.fresh()))
  if (first) firstStarts.push(first)
  const start = await timeStart(rig, place)
  starts.push(start)
  return `bare ${bare.toFixed(0)} ms, first start ${first?.ms.toFixed(0) ?? '–'} ms, start ${start.ms.toFixed(0)} ms, ${start.residentMiB.toFixed(0)} MiB`
}

/** Saves the figures for later comparison, and writes the page if the options ask for it. */
function keep(options: StartOptions, figures: readonly PlaceFigures[], described: string): void {
  console.log(`\n${described}\n`)
  saveFigures('start-', figures)
  if (options.write) writePage(join(ROOT_DIR, 'docs/performance.md'), described, START_MARKS)
}

async function main(options: StartOptions): Promise<void> {
  const tools = findTools()
  if (options.requests > 0 && !tools.wrk && !tools.autocannon)
    throw new Error('neither wrk nor autocannon is installed; --requests 0 does without')
  await withScratch(async (folder, cognito) => {
    const upstream = await startUpstream(tools, folder)
    const figures = await measureStarts({ tools, cognito, upstream: upstream.origin + GRAPHQL_PATH }, folder, options)
    keep(options, figures, describeStarts(options, figures))
  })
}

await runMain(readStartOptions, START_USAGE, main)
