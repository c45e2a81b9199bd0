// How strictly answers are read, and that the result does not depend on how their bytes are split.
import t from 'tap'
import { ProtocolError } from '../../src/http1/answer-head.ts'
import { poolFor, type Whole } from '../support/upstream-pool.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`

/** None of these has an end, so a client that waits for one waits forever. */
const HOPELESS = [
  'HTTP/1.1 200 OK\n',
  `${OK}a: b\n`,
  'HTTP/1.x nonsense',
  'HTTP/1.1 xyz',
  `${OK}no colon\r`,
  `${CHUNKED}zzzz`,
  `${CHUNKED}5\n`,
  `${CHUNKED}5\r\n0123456789abcdef`,
  `${CHUNKED}10;\r`,
  `${CHUNKED}10;a(b)=@`,
  `${CHUNKED}10;a="b\r`,
  `${CHUNKED}10 \r`,
  `${CHUNKED}0\r\nno colon\r`,
  `${CHUNKED}0\r\n\n`
]

t.test('bytes that cannot become an answer are refused at once, whether the peer then waits or closes', async t => {
  for (const bytes of HOPELESS)
    for (const closes of [false, true]) {
      const { ask } = await poolFor(t, socket => void (closes ? socket.end(bytes) : socket.write(bytes)))
      await t.rejects(ask(), ProtocolError, `${JSON.stringify(bytes)}, ${closes ? 'closed' : 'left open'}`)
    }
})

t.test('chunk extensions are read by their grammar (RFC 9112, section 7.1.1)', async t => {
  const lines = ['10 ;a=b', '10\t; a', '10;a=b;c', '10;a = "b;\\"c\\" \u00ff"', '0010;a=""']
  for (const line of lines) {
    const { ask } = await poolFor(t, socket => void socket.write(`${CHUNKED}${line}\r\n0123456789abcdef\r\n0\r\n\r\n`, 'latin1'))
    t.equal((await ask()).body, '0123456789abcdef', line)
  }
  for (const line of ['10;', '10;a(b)=@', '10;a="b', '10 ', '10;a=', '10;=b', '10;a="\\\u0001"', '10;a b', `10;${'a'.repeat(1_024)}`]) {
    const { ask } = await poolFor(t, socket => void socket.write(`${CHUNKED}${line}\r\n0123456789abcdef\r\n0\r\n\r\n`, 'latin1'))
    await t.rejects(ask(), ProtocolError, line.slice(0, 20))
  }
})

const TEN = [
  `${OK}content-length: 2\r\n\r\nok`,
  `${OK}Content-Length:\t0 \r\n\r\n`,
  'HTTP/1.0 503 \r\ncontent-length: 3\r\n\r\nno!',
  'HTTP/1.1 204\r\nx: y\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n',
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
  `${CHUNKED}2\r\nok\r\n0\r\n\r\n`,
  `${CHUNKED}A;a=b;c="d;\\"e"\r\n0123456789\r\n1 ;f\r\n\n\r\n000\r\n\r\n`,
  `${CHUNKED}2\r\n\r\n\r\n0\r\nx-sum: 1\r\ny:\r\n\r\n`,
  `${OK}connection: close\r\n\r\n{"data":1}`
]

const textOf = ({ status, body, head }: Whole) => JSON.stringify([status, body, ...head.headers])

t.test('ten answers, each split in two at every position, are the same as in one piece', async t => {
  for (const bytes of TEN) {
    let cut = 0
    const { ask } = await poolFor(t, socket => {
      const rest = () => (bytes.includes('close') ? socket.end(bytes.slice(cut)) : socket.write(bytes.slice(cut)))
      socket.setNoDelay(true)
      // Two turns later, so that the first piece is read separately.
      if (cut > 0) socket.write(bytes.slice(0, cut), () => setImmediate(() => setImmediate(rest)))
      else rest()
    })
    const whole = await ask()
    const wrongCuts: number[] = []
    for (cut = 1; cut < bytes.length; cut += 1) if (textOf(await ask()) !== textOf(whole)) wrongCuts.push(cut)
    t.strictSame(wrongCuts, [], JSON.stringify(bytes))
  }
})
