// Watching files by polling: every way of replacing them is noticed, and a change counts once the files stop changing.
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LOOK_MS, lookAtFile, lookAtFolders, STILL_MS, watchFiles } from '../../src/stored-operations/watch-files.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

t.test('a snapshot changes with names, sizes, times and links, and with nothing else', async t => {
  const folder = t.testdir({ '..1': { 'a.graphql': 'a' }, '..2': { 'a.graphql': 'a' }, 'b.graphql': 'b' })
  for (const name of ['..1', '..2']) utimesSync(join(folder, name, 'a.graphql'), 1, 1)
  symlinkSync('..1', join(folder, '..data'))
  symlinkSync('..data/a.graphql', join(folder, 'a.graphql'))
  const folders = [folder, join(folder, 'fragments')]
  const look = async () => `${await lookAtFolders(folders)}|${await lookAtFile(join(folder, 'schema'))}`
  const changes: Record<string, () => void> = {
    'an added file': () => writeFileSync(join(folder, 'c.graphql'), 'c'),
    'a size': () => writeFileSync(join(folder, 'c.graphql'), 'cc'),
    'a time': () => utimesSync(join(folder, 'c.graphql'), 1, 1),
    'a name': () => renameSync(join(folder, 'c.graphql'), join(folder, 'd.graphql')),
    'a removed file': () => rmSync(join(folder, 'd.graphql')),
    'a link of the same size and time': () => {
      symlinkSync('..2', join(folder, '..new'))
      renameSync(join(folder, '..new'), join(folder, '..data'))
    },
    'a broken link': () => rmSync(join(folder, '..2'), { recursive: true }),
    'a new folder': () => mkdirSync(join(folder, 'fragments')),
    'a file within it': () => writeFileSync(join(folder, 'fragments', 'f.graphql'), ''),
    'the file beside': () => writeFileSync(join(folder, 'schema'), ''),
    'the folder itself': () => rmSync(folder, { recursive: true })
  }
  for (const [title, change] of Object.entries(changes)) {
    const before = await look()
    t.equal(await look(), before)
    change()
    t.not(await look(), before, title)
  }
})

/** Watches a text that the test sets; each poll takes this many ms. */
function watch({ lookTakesMs = 0 } = {}) {
  const clock = new FakeClock()
  const state = { text: 'old', inForce: 'old', looks: 0, changes: [] as [atMs: number, text: string][] }
  const stop = watchFiles({
    async look() {
      state.looks++
      clock.sleep(lookTakesMs)
      return state.text
    },
    isNews: look => look !== state.inForce,
    onChange() {
      state.changes.push([clock.nowMs(), state.text])
      state.inForce = state.text
    },
    clock
  })
  return { clock, state, stop }
}

t.test('a change counts once the files stop changing', async t => {
  const { clock, state } = watch()
  await clock.advance(LOOK_MS)
  for (const text of ['half', 'more', 'whole']) {
    state.text = text
    await clock.advance(text === 'half' ? LOOK_MS : STILL_MS)
    t.strictSame(state.changes, [])
  }
  await clock.advance(STILL_MS)
  t.strictSame(state.changes, [[2 * LOOK_MS + 3 * STILL_MS, 'whole']])
  await clock.advance(10 * LOOK_MS)
  t.equal(state.changes.length, 1)
})

t.test('polling takes at most a hundredth of the time, and stops on request', async t => {
  const { clock, state, stop } = watch({ lookTakesMs: 500 })
  await clock.advance(100_000)
  t.ok(state.looks <= 3, `${state.looks} looks`)
  const { looks } = state
  stop()
  await clock.advance(100_000)
  await settle()
  t.equal(state.looks, looks)
  t.equal(clock.timers.size, 0)
})
