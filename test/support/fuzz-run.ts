// Sends random requests to real services and checks every answer, and everything that Hasura receives.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { ERROR_TABLE } from '../../src/errors.ts'
import { keysFile, sha256 } from './caller-keys.ts'
import { type Answer, type Received, sendJson } from './fake-server.ts'
import { FAILURES, type FuzzRequest, RIGHT_KEY, rawBytes, wellFormed } from './fuzz-requests.ts'
import { givesData, startGateway } from './gateway.ts'
import { type RawAnswer, RawClient } from './raw-client.ts'

/** Requests in parallel. */
const LANES = 20
/** A connection that has been silent for this long, in ms, counts as answered: the service waits for bodies that never arrive. */
const RAW_SILENCE_MS = 50

/** What was sent, answered and received. */
export type Tally = {
  requests: number
  rawRequests: number
  withoutRight: number
  withoutToken: number
  hasuraCalls: number
  statuses: Map<number, number>
  codes: Map<string, number>
}

const fails: Answer = (response, request, count) => {
  const word = FAILURES.find(failure => request.body.includes(failure))
  if (word === 'hasuraBreaks') return void response.destroy()
  if (word === 'hasuraHtml') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
  if (word === 'hasuraRefuses') return sendJson(response, {}, 401)
  givesData(response, request, count)
}

/** Sends this many requests: half of them to a service that requires a key, some to one without a token, the rest to an open one. */
export async function fuzz(size: number, seed: number, onProgress?: (tally: Tally) => void): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  const path = join(folder, 'callers.json')
  writeFileSync(path, keysFile({ known: { keySha256: [sha256(RIGHT_KEY)] } }))
  const settings = { HASURA_ALLOWED_ROLES: 'reader', BODY_LIMIT_BYTES: '20000' }
  const open = await startGateway({ hasura: fails, settings })
  const guarded = await startGateway({ hasura: fails, settings: { ...settings, CALLER_AUTH: 'api-key', CALLER_KEYS_FILE: path } })
  const tokenless = await startGateway({ hasura: fails, settings, cognito: response => void response.writeHead(500).end(), isReady: false })
  const all = [open, guarded, tokenless]
  const lanes = all.map(({ url }) => Array.from({ length: LANES }, () => new RawClient(url)))
  const [toOpen = [], toGuarded = [], toTokenless = []] = lanes
  const tally: Tally = {
    requests: 0,
    rawRequests: 0,
    withoutRight: 0,
    withoutToken: 0,
    hasuraCalls: 0,
    statuses: new Map(),
    codes: new Map()
  }

  /** Checks and clears what the fake Hasuras have received since the last call. */
  const heard = (hasura: { received: Received[] }) => {
    const calls = hasura.received.splice(0)
    for (const call of calls) judgeCall(call)
    tally.hasuraCalls += calls.length
    return calls.length
  }
  const sendAll = (clients: RawClient[], requests: readonly FuzzRequest[]) =>
    Promise.all(
      requests.map(async (request, lane) => {
        const answer = await clients[lane]?.send(request.bytes, { isHead: request.method === 'HEAD' })
        judgeAnswer(answer, request)
        count(tally, answer)
      })
    )

  const toAll = async (requests: readonly FuzzRequest[]) => {
    tally.requests += requests.length
    await sendAll(toOpen, requests)
    heard(open.hasura)
  }
  const toKnown = async (requests: readonly FuzzRequest[]) => {
    tally.requests += requests.length
    const strangers = requests.filter(({ hasRight }) => !hasRight)
    tally.withoutRight += strangers.length
    await sendAll(toGuarded, strangers)
    assert.equal(heard(guarded.hasura), 0, 'Hasura was called without a right')
    await sendAll(
      toGuarded,
      requests.filter(({ hasRight }) => hasRight)
    )
    heard(guarded.hasura)
  }
  const withoutToken = async (requests: readonly FuzzRequest[]) => {
    tally.requests += requests.length
    tally.withoutToken += requests.length
    await sendAll(
      toTokenless,
      requests.map(request => ({ ...request, mayFail: true }))
    )
    assert.equal(heard(tokenless.hasura), 0, 'Hasura was called without a token')
  }
  const raw = async (texts: readonly string[]) => {
    tally.requests += texts.length
    tally.rawRequests += texts.length
    await Promise.all(
      texts.map(async (bytes, lane) => {
        const answer = await toGuarded[lane]?.send(bytes, { silenceMs: RAW_SILENCE_MS, isHead: bytes.startsWith('HEAD') })
        toGuarded[lane]?.close()
        if (answer === undefined) return
        // Node itself answers a request without Host, and an Expect that it can't meet.
        if (answer.body !== '' || ![400, 417].includes(answer.status)) judgeAnswer(answer, { bytes, mayFail: false })
        count(tally, answer)
      })
    )
    assert.equal(heard(guarded.hasura), 0, 'Hasura was called by bytes without a right')
  }

  const batch = fc.array(wellFormed, { minLength: LANES, maxLength: LANES, size: 'max' })
  const rawBatch = fc.array(rawBytes, { minLength: LANES, maxLength: LANES, size: 'max' })
  const step = fc.oneof(
    { weight: 20, arbitrary: batch.map(requests => () => toKnown(requests)) },
    { weight: 16, arbitrary: batch.map(requests => () => toAll(requests)) },
    { weight: 2, arbitrary: batch.map(requests => () => withoutToken(requests)) },
    { weight: 2, arbitrary: rawBatch.map(texts => () => raw(texts)) }
  )
  try {
    const property = fc.asyncProperty(step, async run => {
      await run()
      onProgress?.(tally)
    })
    await fc.assert(property, { numRuns: Math.ceil(size / LANES), seed, endOnFailure: true })
    for (const { url } of all) assert.equal((await fetch(`${url}/health/live`)).status, 200, 'the service keeps running')
    return tally
  } finally {
    for (const clients of lanes) for (const client of clients) client.close()
    await Promise.all(all.map(gateway => gateway.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

function count(tally: Tally, { status, body }: RawAnswer): void {
  tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1)
  const code = /"code":"([A-Z_]+)"/.exec(body)?.[1]
  if (code) tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1)
}

type ErrorAnswer = { errors: { message: unknown; extensions: { code: keyof typeof ERROR_TABLE; requestId: unknown } }[] }

/** An error has our shape and a code of the table with its status, and no 5xx is our own fault. */
function judgeAnswer(
  answer: RawAnswer | undefined,
  { bytes, mayFail }: Pick<FuzzRequest, 'bytes' | 'mayFail'>
): asserts answer is RawAnswer {
  const context = JSON.stringify({ bytes, answer, headers: [...(answer?.headers ?? [])] })
  assert.ok(answer, `no answer: ${context}`)
  const { status, headers, body } = answer
  const id = headers.get('x-request-id')
  assert.match(id ?? '', /^[A-Za-z0-9._-]{1,128}$/, context)
  if (status >= 500) assert.ok(mayFail && [502, 503, 504].includes(status), context)
  if (status < 400 || body === '' || body.includes('"status":"not ready"')) return
  const { errors } = JSON.parse(body) as ErrorAnswer
  assert.equal(errors.length, 1, context)
  const [error] = errors
  assert.equal(typeof error?.message, 'string', context)
  assert.equal(error?.extensions.requestId, id, context)
  assert.equal(ERROR_TABLE[error?.extensions.code ?? 'INTERNAL_ERROR'].status, status, context)
}

const PASSED = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'accept',
  'authorization',
  'x-request-id',
  'traceparent',
  'tracestate',
  'accept-encoding',
  'x-hasura-role'
])

/** Hasura receives JSON with three members, the service's own token, and only the documented headers. */
function judgeCall({ method, url, headers, body, rawHeaders }: Received): void {
  assert.equal(`${method} ${url}`, 'POST /v1/graphql')
  for (const name of Object.keys(headers)) assert.ok(PASSED.has(name), `Hasura was sent ${name}`)
  assert.equal(new Set(rawHeaders.filter((_, at) => at % 2 === 0).map(name => name.toLowerCase())).size, rawHeaders.length / 2)
  assert.match(headers.authorization ?? '', /^Bearer header\.payload-\d+\.signature$/)
  assert.ok(headers['x-hasura-role'] === undefined || headers['x-hasura-role'] === 'reader')
  assert.ok(!rawHeaders.join().includes(RIGHT_KEY), 'Hasura was sent the key of a caller')
  const { query, variables, operationName, ...more } = JSON.parse(body) as Record<string, unknown>
  assert.deepEqual(Object.keys(more), [])
  assert.ok(typeof query === 'string' && query !== '')
  assert.ok(variables === undefined || (typeof variables === 'object' && variables !== null && !Array.isArray(variables)), body)
  assert.ok(operationName === undefined || typeof operationName === 'string')
}
