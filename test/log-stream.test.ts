import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createLogStream } from '../src/log-stream.ts'

function logFile(t: Test): { fd: number; text: () => string } {
  const path = join(t.testdir({}), 'log')
  return { fd: openSync(path, 'a'), text: () => readFileSync(path, 'utf8') }
}

t.test('lines are held back, and written whole and in order at the end', async t => {
  const { fd, text } = logFile(t)
  const stream = createLogStream(fd)
  for (const line of ['one\n', 'zwei ä\n', 'three\n']) stream.write(line)
  t.equal(text(), '', 'held back')
  stream.flushSync()
  t.equal(text(), 'one\nzwei ä\nthree\n')
  stream.flushSync()
  t.equal(text(), 'one\nzwei ä\nthree\n', 'once')
})

t.test('many lines are written without being asked for, and none is lost', { timeout: 10_000 }, async t => {
  const { fd, text } = logFile(t)
  const stream = createLogStream(fd)
  const lines = Array.from({ length: 1_000 }, (_, n) => `${String(n).padStart(99, '0')}\n`)
  for (const line of lines) stream.write(line)
  const written = lines.slice(0, 900).join('')
  while (text().length < written.length) await new Promise(setImmediate)
  t.ok(text().startsWith(written))
  stream.flushSync()
  t.equal(text(), lines.join(''))
})

t.test('few lines are written after a moment', { timeout: 10_000 }, async t => {
  const { fd, text } = logFile(t)
  const stream = createLogStream(fd)
  stream.write('line\n')
  while (text() === '') await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(text(), 'line\n')
})
