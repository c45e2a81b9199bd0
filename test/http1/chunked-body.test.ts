import fc from 'fast-check'
import t from 'tap'
import { HEAD_MAX_BYTES, ProtocolError } from '../../src/http1/answer-head.ts'
import { ChunkedBody } from '../../src/http1/chunked-body.ts'

/** Decodes a text in pieces of these lengths, each at the same position in a buffer with other bytes. */
function decode(text: string, lengths: readonly number[] = []): { data: string; isDone: boolean; rest: string } {
  const body = new ChunkedBody()
  let data = ''
  let at = 0
  let rest = ''
  for (let n = 0; at < text.length; n += 1) {
    const piece = text.slice(at, at + (lengths[n % lengths.length] ?? text.length))
    const bytes = Buffer.from(`0\r\n${piece}\r\n0\r\n\r\n`, 'latin1')
    const end = body.decode(bytes, 3, 3 + piece.length)
    data += bytes.toString('latin1', 3, end)
    at += piece.length
    if (body.isDone) {
      rest = piece.slice(body.endsAt - 3) + text.slice(at)
      break
    }
  }
  return { data, isDone: body.isDone, rest }
}

t.test('a malformed body is refused, however it is split', async t => {
  const bodies = [
    'x\r\n',
    '\r\n',
    '-1\r\n',
    '0x1\r\na\r\n',
    '1\na\r\n0\r\n\r\n',
    '1\r\nab\r\n',
    '1\r\na\n0\r\n',
    '1 1\r\na\r\n',
    '1000000000000\r\n',
    '1;\u0000\r\n',
    '0\r\nno colon\r\n\r\n',
    '0\r\n folded\r\n\r\n',
    `1;${'x'.repeat(HEAD_MAX_BYTES)}`,
    `0\r\n${'a: b\r\n'.repeat(HEAD_MAX_BYTES / 5)}`
  ]
  for (const text of bodies)
    for (const lengths of [[], [1], [3]]) t.throws(() => decode(text, lengths), ProtocolError, JSON.stringify(text.slice(0, 30)))
})

t.test('a truncated body has not ended', async t => {
  const whole = '5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nx: y\r\n\r\n'
  t.strictSame(decode(whole), { data: 'hello!', isDone: true, rest: '' })
  for (let length = 0; length < whole.length; length += 1) t.equal(decode(whole.slice(0, length)).isDone, false, `${length} bytes`)
})

t.test('any data in any chunks and pieces decodes to the same data, and the bytes after it remain', async t => {
  const chunk = fc.tuple(
    fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', '\u00ff'), minLength: 1 }),
    fc.constantFrom('', ';a', ' ;a="b"')
  )
  const trailer = fc.constantFrom('', 'a: b\r\n', 'a: b\r\nc:\r\n')
  const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.array(chunk),
        trailer,
        fc.constantFrom('', 'HTTP/1.1'),
        pieces,
        fc.boolean(),
        (chunks, trailer, rest, lengths, isUpper) => {
          const hex = (size: number) => (isUpper ? size.toString(16).toUpperCase() : `0${size.toString(16)}`)
          const text = chunks.map(([data, extension]) => `${hex(data.length)}${extension}\r\n${data}\r\n`).join('')
          const result = decode(`${text}0\r\n${trailer}\r\n${rest}`, lengths)
          return result.data === chunks.map(([data]) => data).join('') && result.isDone && result.rest === rest
        }
      ),
      { numRuns: 1000 }
    )
  )
})
