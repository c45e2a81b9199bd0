// The Hasura stand-in's subscriptions: tokens, ends and answers as in Hasura, read through the service's own core.
import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import type { AnswerListener } from '../../src/subscriptions/hasura-connection.ts'
import { HasuraConnection } from '../../src/subscriptions/hasura-connection.ts'
import { webSocketTo } from '../../src/subscriptions/web-socket.ts'
import { initMessage } from '../../src/subscriptions/wire-message.ts'
import { run, type StandIns, standInsFor } from './support.ts'

type Ready = { connection: HasuraConnection } | { code: number }

/** Connects with a token, until it is accepted or refused. */
function connect(t: Test, { hasura }: StandIns, headers: Record<string, string>) {
  const ready = Promise.withResolvers<Ready>()
  const closed = Promise.withResolvers<number>()
  const connection: HasuraConnection = new HasuraConnection({
    open: webSocketTo(hasura.url),
    init: initMessage(headers),
    clock: systemClock,
    onReady: () => ready.resolve({ connection }),
    onClosed: code => {
      ready.resolve({ code })
      closed.resolve(code)
    },
    onIdle: () => {}
  })
  t.teardown(() => connection.close())
  return { ready: ready.promise, closed: closed.promise }
}

/** The answers of a subscription, one by one; `error: …` and `complete` as text. */
function subscribe(connection: HasuraConnection, query: string, variables?: object) {
  const came: string[] = []
  let wake = () => {}
  const put = (text: string) => {
    came.push(text)
    wake()
  }
  const listener: AnswerListener = {
    onNext: put,
    onError: errors => put(`error: ${errors}`),
    onFault: ({ code }) => put(code),
    onComplete: () => put('complete')
  }
  connection.subscribe(JSON.stringify({ query, variables }), listener)
  return async () => {
    while (came.length === 0) await new Promise<void>(resolve => (wake = resolve))
    return came.shift()
  }
}

/** Connects with a valid token. */
async function connectWell(t: Test, standIns: StandIns, headers: Record<string, string> = {}) {
  const { ready, closed } = connect(t, standIns, { Authorization: `Bearer ${await standIns.cognito.issueToken()}`, ...headers })
  const result = await ready
  if (!('connection' in result)) throw new Error(`closed with ${result.code}`)
  return { connection: result.connection, closed }
}

const insert = (name: string) => ({ query: `mutation { insert_users_one(object: {name: "${name}"}) { id } }` })

t.test('a missing, broken or expired token is refused with 4403', async t => {
  const standIns = await standInsFor(t)
  const expired = await standIns.cognito.issueToken({ exp: 1 })
  for (const headers of [{}, { Authorization: 'Bearer x' }, { Authorization: `Bearer ${expired}` }])
    t.same(await connect(t, standIns, headers as Record<string, string>).ready, { code: 4403 })
})

t.test('a role that is not allowed is refused with 4403', async t => {
  const standIns = await standInsFor(t)
  const headers = { Authorization: `Bearer ${await standIns.cognito.issueToken()}`, 'x-hasura-role': 'admin' }
  t.same(await connect(t, standIns, headers).ready, { code: 4403 })
})

t.test('a connection ends without a close frame when its token expires', async t => {
  const standIns = await standInsFor(t)
  const token = await standIns.cognito.issueToken({ exp: Math.ceil(Date.now() / 1000) + 1 })
  const { ready, closed } = connect(t, standIns, { Authorization: `Bearer ${token}` })
  t.ok('connection' in (await ready))
  t.equal(await closed, 1006)
})

t.test('a live query answers at once and after each change, with every digit', async t => {
  const standIns = await standInsFor(t)
  const { connection } = await connectWell(t, standIns)
  const next = subscribe(connection, 'subscription ($n: bigint) { orders(where: {number: {_eq: $n}}) { number } }', {
    n: JSON.rawJSON('9007199254740993')
  })
  const users = subscribe(connection, 'subscription { users(where: {id: {_gt: 5}}) { name } }')
  t.equal(await next(), '{"data":{"orders":[{"number":9007199254740993}]}}')
  t.equal(await users(), '{"data":{"users":[]}}')
  await run(standIns, insert('alan'))
  t.equal(await users(), '{"data":{"users":[{"name":"alan"}]}}')
})

t.test('a streaming subscription delivers the rows after its cursor in batches, then new rows', async t => {
  const standIns = await standInsFor(t)
  const { connection } = await connectWell(t, standIns)
  const query = 'subscription { users_stream(batch_size: 2, cursor: {initial_value: {id: 2}}) { id } }'
  const next = subscribe(connection, query)
  t.equal(await next(), '{"data":{"users_stream":[{"id":3},{"id":4}]}}')
  t.equal(await next(), '{"data":{"users_stream":[{"id":5}]}}')
  await run(standIns, insert('alan'))
  t.equal(await next(), '{"data":{"users_stream":[{"id":6}]}}')
})

t.test('an invalid document ends in an error message in Hasura’s words', async t => {
  const standIns = await standInsFor(t)
  const { connection } = await connectWell(t, standIns)
  const next = subscribe(connection, 'subscription { nobody { id } }')
  t.match(await next(), /^error: .*field 'nobody' not found in type: 'subscription_root'/)
})

t.test('a query runs too, and completes', async t => {
  const standIns = await standInsFor(t)
  const { connection } = await connectWell(t, standIns)
  const next = subscribe(connection, '{ users(limit: 1) { id } }')
  t.same([await next(), await next()], ['{"data":{"users":[{"id":1}]}}', 'complete'])
})
