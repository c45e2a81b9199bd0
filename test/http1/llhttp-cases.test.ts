// llhttp's response cases, each with the socket left open and with the socket closed after the bytes.
// Source: github.com/nodejs/llhttp, commit 01e105a, test/response/*.md, without its lenient modes and pausing hooks, which have no
// equivalent here. If the verdict differs from llhttp's, the case says why.
import t, { type Test } from 'tap'
import { ProtocolError } from '../../src/http1/answer-head.ts'
import { poolFor } from '../support/upstream-pool.ts'

/** The result: the body; `refused`, a protocol error; `pending`, nothing yet; `broken`, a premature end. */
type Verdict = { body: string } | 'refused' | 'pending' | 'broken'
type Case = { file: string; name: string; bytes: string; open: Verdict; closed: Verdict; differs?: string }

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const body = (text: string): Verdict => ({ body: text })
/** The same verdict whether the socket is left open or closed. */
const same = (verdict: Verdict) => ({ open: verdict, closed: verdict })
const untilClose = (text: string) => ({ open: 'pending', closed: body(text) }) as const

const NO_OPTIONAL_CHUNKED = 'llhttp reads to the end of the connection; a coding other than chunked alone is refused here'
const REST = 'llhttp parses the next bytes; here they close the connection, because they are unsolicited'

const CASES: Case[] = [
  {
    file: 'connection',
    name: 'Proxy-Connection',
    bytes: `${OK}Content-Length: 11\r\nProxy-Connection: close\r\n\r\nhello world`,
    ...same(body('hello world'))
  },
  {
    file: 'connection',
    name: 'HTTP/1.0, keep-alive, ends with the connection',
    bytes: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK',
    ...untilClose('HTTP/1.0 200 OK')
  },
  {
    file: 'connection',
    name: 'HTTP/1.0, keep-alive, 204',
    bytes: 'HTTP/1.0 204 No content\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK',
    ...same(body('')),
    differs: REST
  },
  {
    file: 'connection',
    name: 'HTTP/1.1, ends with the connection',
    bytes: `${OK}\r\nHTTP/1.1 200 OK`,
    ...untilClose('HTTP/1.1 200 OK')
  },
  {
    file: 'connection',
    name: 'HTTP/1.1, 204',
    bytes: 'HTTP/1.1 204 No content\r\n\r\nHTTP/1.1 200 OK',
    ...same(body('')),
    differs: REST
  },
  {
    file: 'connection',
    name: '204, close, more',
    bytes: 'HTTP/1.1 204 No content\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK',
    ...same(body('')),
    differs: 'llhttp reports the data after the end as an error; here the answer is valid, and the connection ends either way'
  },
  {
    file: 'connection',
    name: 'length, close, more',
    bytes: 'HTTP/1.1 200 No content\r\nContent-Length: 5\r\nConnection: close\r\n\r\n2ad731e3-4dcd-4f70',
    ...same(body('2ad73')),
    differs: 'llhttp reports the data after the end as an error; here the answer is valid, and the connection ends either way'
  },
  {
    file: 'connection',
    name: '101, length',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody',
    ...same('refused'),
    differs: 'llhttp hands over an upgrade; this client never requests one'
  },
  {
    file: 'connection',
    name: '101, chunked',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n0\r\n\r\n',
    ...same('refused'),
    differs: 'llhttp hands over an upgrade; this client never requests one'
  },
  {
    file: 'connection',
    name: '200, Upgrade',
    bytes: `${OK}Connection: upgrade\r\nUpgrade: h2c\r\n\r\nbody`,
    ...untilClose('body')
  },
  {
    file: 'connection',
    name: '200, Upgrade, length',
    bytes: `${OK}Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody`,
    ...same(body('body'))
  },
  {
    file: 'connection',
    name: '200, Upgrade, chunked',
    bytes: `${OK}Connection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n`,
    ...same(body('body'))
  },
  {
    file: 'connection',
    name: '304, length',
    bytes: `HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    ...same(body('')),
    differs: REST
  },
  {
    file: 'connection',
    name: '304, chunked',
    bytes: `HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}5\r\nhello\r\n0\r\n\r\n`,
    ...same(body('')),
    differs: REST
  },
  {
    file: 'connection',
    name: '100 first, then 404',
    bytes: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n404: Not Found',
    ...same(body('404: Not Found'))
  },
  {
    file: 'connection',
    name: '103 first, then 200',
    bytes: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${OK}Content-Length: 16\r\n\r\nresponse content`,
    ...same(body('response content'))
  },
  {
    file: 'content-length',
    name: 'none, ends with the connection',
    bytes: `${OK}Connection: close\r\n\r\n<?xml?>\n<a/>`,
    ...untilClose('<?xml?>\n<a/>')
  },
  {
    file: 'content-length',
    name: 'Content-Length-X',
    bytes: `${OK}Content-Length-X: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n`,
    ...same(body('OK'))
  },
  {
    file: 'content-length',
    name: 'less than it says',
    bytes: `${OK}Content-Length: 123\r\n\r\n${OK}`,
    open: 'pending',
    closed: 'broken',
    differs: 'in llhttp, the request was HEAD; this client sends none'
  },
  {
    file: 'content-length',
    name: 'tabs around the value',
    bytes: `${OK}Content-Length:\t2\t\r\n\r\nok`,
    ...same(body('ok'))
  },
  { file: 'finish', name: 'an empty answer', bytes: `${OK}\r\n`, ...untilClose('') },
  { file: 'invalid', name: 'incomplete protocol', bytes: 'HTP/1.1 200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'extra digit in the major version', bytes: 'HTTP/01.1 200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'extra digit in the major version, 2', bytes: 'HTTP/11.1 200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'extra digit in the minor version', bytes: 'HTTP/1.01 200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'tab after the version', bytes: 'HTTP/1.1\t200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'CR before the answer', bytes: '\rHTTP/1.1\t200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'headers separated by CR', bytes: `${OK}Foo: 1\rBar: 2\r\n\r\n`, ...same('refused') },
  { file: 'invalid', name: 'CR after the status line', bytes: 'HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'CR CR after the status line', bytes: 'HTTP/1.1 200 OK\r\rContent-Length: 4\r\n\r\nEvil', ...same('refused') },
  { file: 'invalid', name: 'version 5.6', bytes: 'HTTP/5.6 200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'space after the status line', bytes: `${OK} Host: foo`, ...same('refused') },
  { file: 'invalid', name: 'two spaces before the status', bytes: 'HTTP/1.1  200 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'two spaces before the reason', bytes: 'HTTP/1.1 200  OK\r\n\r\n', ...untilClose('') },
  { file: 'invalid', name: 'status of one digit', bytes: 'HTTP/1.1 2 OK\r\n\r\n', ...same('refused') },
  { file: 'invalid', name: 'LF alone, no body', bytes: 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', ...same('refused') },
  { file: 'invalid', name: 'LF alone', bytes: 'HTTP/1.1 200 OK\nFoo: abc\nBar: def\n\nBODY\n', ...same('refused') },
  {
    file: 'pausing',
    name: 'length',
    bytes: `${OK}Content-Length: 3\r\n\r\nabc`,
    ...same(body('abc'))
  },
  {
    file: 'pausing',
    name: 'chunked',
    bytes: `${CHUNKED}a\r\n0123456789\r\n0\r\n\r\n`,
    ...same(body('0123456789'))
  },
  {
    file: 'pipelining',
    name: 'several answers',
    bytes: `${OK}Content-Length: 3\r\n\r\nAAAHTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nBBBB`,
    ...same(body('AAA')),
    differs: REST
  },
  {
    file: 'sample',
    name: 'simple',
    bytes: `${OK}Header1: Value1\r\nHeader2:\t Value2\r\nContent-Length: 0\r\n\r\n`,
    ...same(body(''))
  },
  { file: 'sample', name: 'RTSP', bytes: 'RTSP/1.1 200 OK\r\n\r\n', ...same('refused'), differs: 'llhttp speaks RTSP too' },
  { file: 'sample', name: 'ICE', bytes: 'ICE/1.1 200 OK\r\n\r\n', ...same('refused'), differs: 'llhttp speaks ICE too' },
  { file: 'sample', name: 'HTTPER', bytes: 'HTTPER/1.1 200 OK\r\n\r\n', ...same('refused') },
  { file: 'sample', name: 'no headers, no body', bytes: 'HTTP/1.1 404 Not Found\r\n\r\n', ...untilClose('') },
  { file: 'sample', name: 'no reason', bytes: 'HTTP/1.1 301\r\n\r\n', ...untilClose('') },
  { file: 'sample', name: 'empty reason', bytes: 'HTTP/1.1 200 \r\n\r\n', ...untilClose('') },
  {
    file: 'sample',
    name: 'Google 301, shorter than it says',
    bytes: 'HTTP/1.1 301 Moved Permanently\r\nX-$PrototypeBI-Version: 1.6.0.3\r\nContent-Length:  219  \r\n\r\n<HTML>',
    open: 'pending',
    closed: 'broken'
  },
  {
    file: 'sample',
    name: 'a chunk of one line feed',
    bytes: `${CHUNKED}1\r\n\n\r\n0\r\n\r\n`,
    ...same(body('\n'))
  },
  {
    file: 'sample',
    name: 'no carriage return',
    bytes: 'HTTP/1.1 200 OK\nConnection: close\n\nthese headers',
    ...same('refused')
  },
  { file: 'sample', name: 'underscore in a name', bytes: `${OK}Content-Length: 0\r\nDCLK_imp: v7;x;~okv=;\r\n\r\n`, ...same(body('')) },
  {
    file: 'sample',
    name: 'a field without a value',
    bytes: 'HTTP/1.0 301 Moved Permanently\r\nPragma: \r\nLocation: http://a/\r\nContent-Length: 0\r\n\r\n',
    ...same(body(''))
  },
  {
    file: 'sample',
    name: 'odd names',
    bytes: `${OK}.et-Cookie: a=1; path=/\r\n_onnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    ...same(body(''))
  },
  { file: 'sample', name: 'space in a name', bytes: `${OK}en-US Content-Type: text/xml\r\nContent-Length: 16\r\n\r\n`, ...same('refused') },
  {
    file: 'sample',
    name: 'a reason beyond ASCII',
    bytes: 'HTTP/1.1 500 Ori\u00c3\u00abntatieprobleem\r\nContent-Length: 0\r\n\r\n',
    ...same(body(''))
  },
  {
    file: 'sample',
    name: 'version 0.9',
    bytes: 'HTTP/0.9 200 OK\r\n\r\n',
    ...same('refused'),
    differs: 'llhttp accepts 0.9; a 0.9 answer has no head, so these bytes are not one'
  },
  {
    file: 'sample',
    name: 'neither length nor coding',
    bytes: `${OK}Content-Type: text/plain\r\n\r\nhello world`,
    ...untilClose('hello world')
  },
  {
    file: 'sample',
    name: 'starts with CRLF',
    bytes: `\r\n${OK}Content-Length: 0\r\n\r\n`,
    ...same('refused'),
    differs: 'llhttp skips it; RFC 9112, section 2.2, has servers skip it before a request, not clients before an answer'
  },
  { file: 'transfer-encoding', name: 'spaces after the size', bytes: `${CHUNKED}2  \r\nok\r\n0  \r\n\r\n`, ...same('refused') },
  {
    file: 'transfer-encoding',
    name: 'chunked before another',
    bytes: `${OK}Transfer-Encoding: chunked, deflate\r\n\r\nWorld`,
    ...same('refused'),
    differs: NO_OPTIONAL_CHUNKED
  },
  {
    file: 'transfer-encoding',
    name: 'chunked not last',
    bytes: `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\nWorld`,
    ...same('refused'),
    differs: NO_OPTIONAL_CHUNKED
  },
  {
    file: 'transfer-encoding',
    name: 'chunkedchunked',
    bytes: `${OK}Transfer-Encoding: chunkedchunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n`,
    ...same('refused'),
    differs: NO_OPTIONAL_CHUNKED
  },
  {
    file: 'transfer-encoding',
    name: 'extensions',
    bytes: `${CHUNKED}5;ilovew3;somuchlove=aretheseparametersfor\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n`,
    ...same(body('hello world'))
  },
  {
    file: 'transfer-encoding',
    name: 'extension without semicolon',
    bytes: `${CHUNKED}2 erfrferferf\r\naa\r\n0 rrrr\r\n\r\n`,
    ...same('refused')
  },
  { file: 'transfer-encoding', name: 'semicolon without extension', bytes: `${CHUNKED}2;\r\naa\r\n0\r\n\r\n`, ...same('refused') },
  {
    file: 'transfer-encoding',
    name: 'quoted extensions',
    bytes: `${CHUNKED}5;ilovew3="I love; extensions";somuchlove="aretheseparametersfor";blah;foo=bar\r\nhello\r\n0\r\n\r\n`,
    ...same(body('hello'))
  },
  {
    file: 'transfer-encoding',
    name: 'an open quote',
    bytes: `${CHUNKED}5;ilovew3="abc";somuchlove="def; ghi\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n`,
    ...same('refused')
  },
  {
    file: 'transfer-encoding',
    name: 'a folded value',
    bytes: `${OK}Transfer-Encoding: chunked\r\n  abc\r\n\r\n5\r\nWorld\r\n0\r\n\r\n`,
    ...same('refused'),
    differs: 'llhttp accepts this only in a lenient mode'
  }
]

/** Enough turns of the event loop for bytes on loopback to be read. */
const TURNS = 10

async function verdictOf(t: Test, bytes: string, closes: boolean, isPending: boolean): Promise<Verdict> {
  const written = Promise.withResolvers<void>()
  const { ask } = await poolFor(t, socket => {
    if (closes) socket.end(bytes, 'latin1')
    else socket.write(bytes, 'latin1', () => written.resolve())
  })
  let verdict: Verdict = 'pending'
  const outcome = ask().then(
    ({ body }) => {
      verdict = { body }
    },
    (error: unknown) => {
      verdict = error instanceof ProtocolError ? 'refused' : 'broken'
    }
  )
  if (!isPending) await outcome
  else {
    await written.promise
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise(setImmediate)
  }
  return verdict
}

for (const { file, name, bytes, open, closed } of CASES)
  t.test(`${file}: ${name}`, async t => {
    t.strictSame(await verdictOf(t, bytes, false, open === 'pending'), open, 'left open')
    t.strictSame(await verdictOf(t, bytes, true, false), closed, 'closed')
  })
