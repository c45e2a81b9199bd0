import fc from 'fast-check'
import t from 'tap'
import {
  areFieldLines,
  couldBeAnswerHead,
  couldBeFieldLines,
  KEEP_ALIVE_MAX_MS,
  KEEP_ALIVE_MS,
  ProtocolError,
  parseAnswerHead
} from '../../src/http1/answer-head.ts'

const OK = 'HTTP/1.1 200 OK\r\n'

t.test('a malformed head is refused', async t => {
  const heads = [
    'HTTP/2 200 OK\r\n',
    'HTTP/1.1  200 OK\r\n',
    'HTTP/1.1 20 OK\r\n',
    'HTTP/1.1 2000 OK\r\n',
    'HTTP/1.1 099 OK\r\n',
    'HTTP/1.1 200 O\u0000K\r\n',
    'http/1.1 200 OK\r\n',
    `${OK}no colon\r\n`,
    `${OK}: no name\r\n`,
    `${OK}space before : colon\r\n`,
    `${OK}a: 1\r\n folded\r\n`,
    `${OK}a: 1\nb: 2\r\n`,
    `${OK}a: 1\r\r\n`,
    `${OK}a: \u0000\r\n`,
    `${OK}a: 1\r\nnot whole`
  ]
  for (const head of heads) t.throws(() => parseAnswerHead(head), ProtocolError, JSON.stringify(head))
})

t.test('a head that gives the length of the body in two ways is refused', async t => {
  const fields = [
    'content-length: 1\r\ncontent-length: 1\r\n',
    'content-length: 1, 1\r\n',
    'content-length: 1\r\nContent-Length: 2\r\n',
    'content-length: -1\r\n',
    'content-length: +1\r\n',
    'content-length: 1.0\r\n',
    'content-length: 0x10\r\n',
    'content-length: \r\n',
    'content-length: 9999999999999999\r\n',
    'content-length: 1\r\ntransfer-encoding: chunked\r\n',
    'transfer-encoding: gzip, chunked\r\n',
    'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n',
    'transfer-encoding: identity\r\n',
    'transfer-encoding: \r\n'
  ]
  for (const text of fields) t.throws(() => parseAnswerHead(OK + text), ProtocolError, JSON.stringify(text))
})

t.test('the length of the body follows RFC 9112, section 6.3', async t => {
  const cases: [string, { bodyLength?: number; isChunked: boolean }][] = [
    [`${OK}content-length: 42\r\n`, { bodyLength: 42, isChunked: false }],
    [`${OK}CONTENT-LENGTH:42 \t\r\n`, { bodyLength: 42, isChunked: false }],
    [`${OK}content-length: 0\r\n`, { bodyLength: 0, isChunked: false }],
    [`${OK}transfer-encoding: Chunked\r\n`, { isChunked: true }],
    [OK, { bodyLength: Number.POSITIVE_INFINITY, isChunked: false }],
    ['HTTP/1.1 204\r\n', { bodyLength: 0, isChunked: false }],
    ['HTTP/1.1 204 \r\ncontent-length: 5\r\n', { bodyLength: 0, isChunked: false }],
    ['HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n', { bodyLength: 0, isChunked: false }],
    ['HTTP/1.1 103 Early Hints\r\n', { bodyLength: 0, isChunked: false }]
  ]
  for (const [head, expected] of cases) t.match(parseAnswerHead(head), expected, JSON.stringify(head))
})

t.test('a connection is not kept, or kept for the announced time less a margin, or for a short time', async t => {
  const length = 'content-length: 0\r\n'
  const cases: [string, number][] = [
    [OK + length, KEEP_ALIVE_MS],
    [OK, 0],
    [`${OK}transfer-encoding: chunked\r\n`, KEEP_ALIVE_MS],
    [`${OK}${length}connection: close\r\n`, 0],
    [`${OK}${length}connection: keep-alive, Close\r\n`, 0],
    [`${OK}${length}connection: keep-alive\r\nconnection: close\r\n`, 0],
    [`${OK}${length}connection: closed\r\n`, KEEP_ALIVE_MS],
    [`HTTP/1.0 200 OK\r\n${length}connection: keep-alive\r\n`, 0],
    [`${OK}${length}keep-alive: timeout=5\r\n`, 3000],
    [`${OK}${length}keep-alive: timeout=5, max=100\r\n`, 3000],
    [`${OK}${length}keep-alive: max=100, timeout=75\r\n`, 73_000],
    [`${OK}${length}keep-alive: timeout=2\r\n`, 0],
    [`${OK}${length}keep-alive: timeout=1\r\n`, 0],
    [`${OK}${length}keep-alive: timeout=999999999\r\n`, KEEP_ALIVE_MAX_MS],
    [`${OK}${length}keep-alive: for ever\r\n`, KEEP_ALIVE_MS]
  ]
  for (const [head, keepAliveMs] of cases) t.equal(parseAnswerHead(head).keepAliveMs, keepAliveMs, JSON.stringify(head))
})

t.test('header fields are read unchanged, and only the first of each name', async t => {
  const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/).filter(text => !/^(content-length|transfer-encoding)$/i.test(text))
  const value = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,40}$/)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), fc.integer({ min: 200, max: 999 }), (fields, status) => {
        const expected = new Map<string, string>()
        for (const [name, value] of fields)
          if (!expected.has(name.toLowerCase())) expected.set(name.toLowerCase(), value.replace(/^[\t ]+|[\t ]+$/g, ''))
        const head = parseAnswerHead(`HTTP/1.1 ${status} any\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`)
        return head.status === status && JSON.stringify([...head.headers]) === JSON.stringify([...expected])
      })
    )
  )
})

t.test('no text makes parsing throw another error or take long', async t => {
  const part = fc.constantFrom(
    'HTTP/1.1 200 OK',
    '\r\n',
    '\n',
    ' ',
    ':',
    'a',
    'content-length',
    '5',
    'transfer-encoding',
    'chunked',
    '\u00ff',
    ','
  )
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), parts => {
        try {
          parseAnswerHead(parts.join(''))
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }),
      { numRuns: 2000 }
    )
  )
})

t.test('an incomplete head is accepted exactly if more bytes can complete it', async t => {
  const whole = 'HTTP/1.1 200 OK\r\nA-b: c d\r\nempty:\r\n\r'
  for (let length = 0; length <= whole.length; length += 1) t.ok(couldBeAnswerHead(whole.slice(0, length)), `${length} bytes`)
  const hopeless = [
    'h',
    'HTTP/2',
    'HTTP/1.x nonsense',
    'HTTP/1.1\t',
    'HTTP/1.1 2x',
    'HTTP/1.1 0',
    'HTTP/1.1 200O',
    'HTTP/1.1 200 O\u0000',
    'HTTP/1.1 200 OK\n',
    'HTTP/1.1 200 OK\r\r',
    'SSH-2.0',
    '\r\nHTTP/1.1',
    '{',
    `${OK}:`,
    `${OK}a b`,
    `${OK} folded`,
    `${OK}a\r`,
    `${OK}a: b\n`,
    `${OK}a: b\rc`,
    `${OK}a: b\r\n\n`,
    `${OK}\rx`
  ]
  for (const text of hopeless) t.notOk(couldBeAnswerHead(text), JSON.stringify(text))
})

t.test('an incomplete trailer is accepted exactly if more bytes can complete it', async t => {
  for (const text of ['', '\r', 'a', 'a:', 'a: b', 'a: b\r', 'a: b\r\n', 'a: b\r\nc']) t.ok(couldBeFieldLines(text), JSON.stringify(text))
  for (const text of ['a b', ':', 'a\r', '\rx', 'a: b\n', 'a: \u0000', 'a: b\r\n c']) t.notOk(couldBeFieldLines(text), JSON.stringify(text))
})

t.test('lines of header fields are distinguished from anything else', async t => {
  for (const text of ['', 'a: b\r\n', 'a: b\r\nc:\r\n']) t.ok(areFieldLines(text), JSON.stringify(text))
  for (const text of ['a', 'a: b', 'a: b\n', '\r\n', 'a: b\r\n c\r\n']) t.notOk(areFieldLines(text), JSON.stringify(text))
})
