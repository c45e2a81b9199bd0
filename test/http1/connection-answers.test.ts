// Many requests over few connections, with an upstream that makes every mistake: each gets its own answer, or an error.
import type { Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { AttemptError } from '../../src/http1/attempt-error.ts'
import { createHttpClient, type HttpClient } from '../../src/http1/http-client.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'

/** What the upstream does with one request. */
type Behaviour = {
  framing: 'length' | 'chunked' | 'close'
  size: number
  cuts: number
  fault: 'none' | 'none ' | 'extra' | 'refuse' | 'break' | 'garbage' | 'last' | 'leave'
}

const REQUESTS = 40

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  framing: fc.constantFrom('length', 'chunked', 'close'),
  size: fc.constantFrom(0, 1, 300, 70_000),
  cuts: fc.integer({ min: 1, max: 4 }),
  fault: fc.constantFrom('none', 'none ', 'extra', 'refuse', 'break', 'garbage', 'last', 'leave')
})

const bodyOf = (id: string, size: number) => `{"id":"${id}","x":"${'x'.repeat(size)}"}`

function answerOf(body: string, { framing, fault }: Behaviour): string {
  const connection = fault === 'last' ? 'connection: close\r\n' : ''
  if (framing === 'close') return `HTTP/1.1 200 OK\r\n${connection}\r\n${body}`
  if (framing === 'length') return `HTTP/1.1 200 OK\r\n${connection}content-length: ${body.length}\r\n\r\n${body}`
  const half = body.length >> 1
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
  return `HTTP/1.1 200 OK\r\n${connection}transfer-encoding: chunked\r\n\r\n${chunk(body.slice(0, half))}${chunk(body.slice(half))}0\r\n\r\n`
}

function behave(socket: Socket, id: string, how: Behaviour): void {
  const { framing, size, cuts, fault } = how
  if (fault === 'refuse') return void socket.destroy()
  if (fault === 'garbage') return void socket.write('%$§!\r\n\r\n')
  const answer = answerOf(bodyOf(id, size), how)
  if (fault === 'break') return void socket.end(answer.slice(0, answer.length - 5))
  // The extra bytes in the same write look like the next request's answer.
  const bytes = fault === 'extra' && framing !== 'close' ? `${answer}HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{"id":"bad"}` : answer
  const cut = Math.ceil(answer.length / cuts)
  const write = (at: number) => {
    const isLast = at + cut >= answer.length
    socket.write(bytes.slice(at, isLast ? undefined : at + cut))
    if (!isLast) setImmediate(write, at + cut)
    else if (framing === 'close' || fault === 'last') socket.end()
  }
  write(0)
}

/** The ID in an answer, or why there is none. */
async function outcomeOf(client: HttpClient, id: string, leaves: boolean): Promise<string> {
  const leaving = new AbortController()
  try {
    const answering = client.request({ fields: '', body: id, timeoutMs: 20_000, signal: leaving.signal })
    if (leaves) setImmediate(() => setImmediate(() => leaving.abort()))
    const { head, stream } = await answering
    const chunks: Buffer[] = []
    for await (const chunk of stream ?? [head]) chunks.push(chunk)
    const { id: answered, x } = JSON.parse(Buffer.concat(chunks).toString())
    return `${answered} ${x.length}`
  } catch (error) {
    if (error instanceof AttemptError || error instanceof SyntaxError) return 'fault'
    throw error
  }
}

t.test('each request gets its own complete answer, or an error if the upstream failed', async t => {
  let due = new Map<string, Behaviour>()
  const upstream = await startRawUpstream((socket, request) => {
    const id = request.slice(request.indexOf('\r\n\r\n') + 4)
    const how = due.get(id)
    if (how) behave(socket, id, how)
  })
  const client = createHttpClient({ url: `http://127.0.0.1:${upstream.port}`, connections: 4 })
  let run = 0
  await t.resolves(
    fc.assert(
      fc.asyncProperty(fc.array(behaviour, { minLength: REQUESTS, maxLength: REQUESTS }), async behaviours => {
        run += 1
        due = new Map(behaviours.map((how, n) => [`${run}-${n}`, how]))
        const outcomes = await Promise.all([...due].map(([id, { fault }]) => outcomeOf(client, id, fault === 'leave')))
        return [...due].every(([id, { size, fault, framing }], n) => {
          const own = `${id} ${size}`
          if (fault === 'refuse' || fault === 'garbage') return outcomes[n] === 'fault'
          // If an answer ends with its connection, only a JSON parser notices that it is incomplete.
          if (fault === 'break') return outcomes[n] === 'fault' || (framing === 'close' && outcomes[n] !== own)
          if (fault === 'leave') return outcomes[n] === 'fault' || outcomes[n] === own
          return outcomes[n] === own
        })
      }),
      { numRuns: 50 }
    )
  )
  t.ok(upstream.connections > 0)
  client.close()
  await upstream.close()
})
