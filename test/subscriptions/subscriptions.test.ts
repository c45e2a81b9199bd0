// Fan-out, hand-over and failures of subscriptions, with a fake clock.
import t from 'tap'
import { createRig, LIVE, STREAM, TIMEOUT_MS } from '../support/subscription-rig.ts'

const state = (n: number) => `{"data":{"state":${n}}}`
const rows = (...ids: number[]) => `{"data":{"users_stream":[${ids.map(id => `{"id":${id}}`).join(',')}]}}`
const codeOf = (ending: unknown) => (ending as { error?: { code: string } } | undefined)?.error?.code

t.test('if Hasura cannot be reached, there is an error after the time-out, not before', async t => {
  const { advance, rig, hasura, read, subscriptions } = createRig()
  hasura.isUp = false
  const reading = read()
  await advance(TIMEOUT_MS - 1)
  t.equal(reading.ending, undefined)
  t.ok(hasura.all.length > 3, 'it has been tried again')
  await advance(1)
  t.equal(codeOf(reading.ending), 'UPSTREAM_UNREACHABLE')
  const tries = hasura.all.length
  await advance(60_000)
  t.equal(hasura.all.length, tries, 'without readers, nothing is tried')
  t.equal(subscriptions.count, 0)
  t.equal(rig.clock.timers.size, 0)
})

t.test('a connection attempt that hangs is abandoned after 10 s and retried', async t => {
  const { advance, hasura, read } = createRig()
  hasura.isSilent = true
  const reading = read()
  await advance(10_000)
  t.equal(hasura.all[0]?.closedWith, 'terminated')
  hasura.isSilent = false
  await advance(1_000)
  t.same(reading.answers, [state(0)])
})

t.test('without a token and without an answer so far, the error is sent at once', async t => {
  const { advance, rig, read } = createRig()
  rig.token = undefined
  const reading = read()
  await advance(0)
  t.equal(codeOf(reading.ending), 'TOKEN_UNAVAILABLE')
})

t.test('a refused token is replaced once, and a second refusal is an error', async t => {
  const { advance, rig, hasura, read, ends } = createRig()
  hasura.tokens.clear()
  rig.replace = () => 'another'
  const reading = read()
  await advance(100)
  t.same(rig.refused, ['token-1'])
  t.equal(hasura.all.length, 2)
  t.equal(codeOf(reading.ending), 'UPSTREAM_REJECTED_TOKEN')
  t.same(
    ends.map(({ code, isRefusal }) => ({ code, isRefusal })),
    [
      { code: 4403, isRefusal: true },
      { code: 4403, isRefusal: true }
    ]
  )
})

t.test('a refused token is replaced, and the callers notice nothing', async t => {
  const { advance, rig, hasura, read } = createRig()
  hasura.tokens.clear()
  const reading = read()
  await advance(100)
  t.same(rig.refused, ['token-1'])
  t.same(reading.answers, [state(0)])
  t.equal(hasura.all[1]?.token, 'token-2')
})

t.test('equal subscriptions share one at Hasura, and a later reader gets the latest answer at once', async t => {
  const { advance, rig, hasura, read, subscriptions } = createRig()
  const first = read({ ...LIVE, variables: '{"a":1,"b":9007199254740993}' })
  await advance(10)
  hasura.change()
  await advance(10)
  const second = read({ ...LIVE, variables: '{ "b": 9007199254740993, "a": 1 }' })
  t.same(first.answers, [state(0), state(1)])
  t.same(second.answers, [state(1)])
  t.equal(hasura.subscriptionCount, 1)
  t.equal(subscriptions.count, 1)
  first.reader.leave()
  await advance(10)
  t.equal(hasura.subscriptionCount, 1)
  second.reader.leave()
  await advance(10)
  t.equal(hasura.subscriptionCount, 0)
  t.equal(hasura.connections.size, 0)
  t.equal(rig.clock.timers.size, 1, 'the expiry that Hasura waits for')
})

for (const [name, other] of Object.entries({
  document: { query: 'subscription { state  }' },
  operation: { operationName: 'Other' },
  variables: { variables: '{"a":9007199254740992}' },
  role: { role: 'reader' }
})) {
  t.test(`subscriptions that differ in the ${name} do not share`, async t => {
    const { advance, hasura, read } = createRig()
    read({ ...LIVE, variables: '{"a":9007199254740993}' })
    read({ ...LIVE, variables: '{"a":9007199254740993}', ...other })
    await advance(10)
    t.equal(hasura.subscriptionCount, 2)
    t.equal(hasura.connections.size, name === 'role' ? 2 : 1)
  })
}

t.test('a role is sent in the headers of connection_init, beside the token', async t => {
  const { advance, hasura, read } = createRig()
  read({ ...LIVE, role: 'reader' })
  await advance(10)
  t.same(hasura.all[0]?.headers, { Authorization: 'Bearer token-1', 'x-hasura-role': 'reader' })
})

t.test('streaming subscriptions are never shared', async t => {
  const { advance, hasura, read } = createRig()
  read(STREAM)
  read(STREAM)
  await advance(10)
  t.equal(hasura.subscriptionCount, 2)
})

t.test('after a token renewal, a new connection takes over, and the old one ends once the first answer has arrived', async t => {
  const { advance, rig, hasura, read } = createRig()
  const reading = read()
  await advance(10)
  rig.renew()
  await advance(3)
  t.equal(hasura.connections.size, 2, 'the old one serves until then')
  t.equal(hasura.all[0]?.subscriptions.size, 1)
  await advance(10)
  t.equal(hasura.connections.size, 1)
  t.equal(hasura.all[0]?.closedWith, 1000)
  t.equal(hasura.all[1]?.token, 'token-2')
  t.same(reading.answers, [state(0)], 'an answer equal to the last one is not sent again')
  hasura.change()
  await advance(10)
  t.same(reading.answers, [state(0), state(1)])
})

t.test('a hand-over that fails is retried while the old connection serves', async t => {
  const { advance, rig, hasura, read } = createRig()
  const reading = read()
  await advance(10)
  hasura.isUp = false
  rig.renew()
  await advance(TIMEOUT_MS * 2)
  hasura.change()
  await advance(10)
  t.same(reading.answers, [state(0), state(1)])
  hasura.isUp = true
  await advance(7_510)
  t.equal(hasura.connections.size, 1)
  t.same(
    [...hasura.connections].map(({ token }) => token),
    ['token-2']
  )
  t.equal(reading.ending, undefined)
})

t.test('if there is no new token to hand over to, readers get no error while the old connection serves', async t => {
  const { advance, rig, read, subscriptions } = createRig()
  read()
  await advance(10)
  const other = read({ ...LIVE, operationName: 'Other' })
  rig.token = undefined
  subscriptions.renew()
  await advance(10)
  t.same([other.answers, other.ending], [[state(0)], undefined])
})

t.test('if Hasura does not come back, readers get an error after the time-out, counted from the break', async t => {
  const { advance, hasura, read, subscriptions } = createRig()
  const readings = [read(), read(STREAM)]
  await advance(100_000)
  hasura.isUp = false
  hasura.breakAll(1006)
  await advance(TIMEOUT_MS - 1)
  for (const { ending } of readings) t.equal(ending, undefined)
  await advance(1)
  for (const { ending } of readings) t.equal(codeOf(ending), 'UPSTREAM_UNREACHABLE')
  t.equal(subscriptions.count, 0)
})

t.test('connections that break before the first answer do not count as success, however often they are retried', async t => {
  const { advance, hasura, read } = createRig()
  hasura.answerTo = () => {
    setImmediate(() => hasura.breakAll(1006))
    return '{}'
  }
  const reading = read()
  for (let ms = 0; ms < TIMEOUT_MS; ms += 10) await advance(10)
  t.ok(hasura.all.length > 10)
  t.equal(codeOf(reading.ending), 'UPSTREAM_UNREACHABLE')
})

t.test('a subscription without an answer yet does not time out', async t => {
  const { advance, hasura, read } = createRig()
  hasura.isMute = true
  const reading = read()
  await advance(TIMEOUT_MS * 3)
  t.equal(reading.ending, undefined)
  hasura.isMute = false
  hasura.change()
  await advance(10)
  t.same(reading.answers, [state(1)])
})

t.test('after Hasura closes all connections for a change of metadata, they are reopened after the first wait', async t => {
  const { advance, hasura, read } = createRig()
  const reading = read()
  await advance(10)
  hasura.breakAll(1012)
  hasura.change()
  await advance(749)
  t.equal(hasura.all.length, 1)
  await advance(11)
  t.same(reading.answers, [state(0), state(1)])
})

t.test('a peer that falls silent is detected within 30 s', async t => {
  const { advance, hasura, read, ends } = createRig()
  const reading = read()
  await advance(12_345)
  hasura.isSilent = true
  await advance(30_000)
  t.equal(hasura.all[0]?.closedWith, 'terminated')
  t.equal(ends[0]?.fault, 'Hasura has stopped responding')
  hasura.isSilent = false
  hasura.change()
  await advance(20_000)
  t.same(reading.answers, [state(0), state(1)])
})

t.test('a peer that answers pings stays connected, however few messages it sends', async t => {
  const { advance, hasura, read } = createRig()
  read()
  await advance(600_000)
  t.equal(hasura.all.length, 1)
})

t.test('pings from Hasura are answered', async t => {
  const { advance, hasura, read } = createRig()
  read()
  await advance(10)
  hasura.all[0]?.send({ type: 'ping', payload: { message: 'keepalive' } })
  await advance(10)
  t.equal(hasura.all[0]?.received.at(-1)?.type, 'pong')
})

for (const garbage of ['garbage', '', '{"type":7}', '[]']) {
  t.test(`a frame of ${JSON.stringify(garbage)} ends the connection, and another one replaces it`, async t => {
    const { advance, hasura, read } = createRig()
    const reading = read()
    await advance(10)
    hasura.all[0]?.send(garbage)
    await advance(10)
    t.equal(hasura.all[0]?.closedWith, 4400)
    hasura.change()
    await advance(1_000)
    t.same(reading.answers, [state(0), state(1)])
  })
}

t.test('messages of unknown types or for unknown subscriptions are ignored', async t => {
  const { advance, hasura, read } = createRig()
  const reading = read()
  await advance(10)
  for (const message of [
    { type: 'next', id: '99', payload: {} },
    { type: 'complete', id: '99' },
    { type: 'connection_ack' },
    { type: 'news', id: '1' }
  ])
    hasura.all[0]?.send(message)
  await advance(10)
  t.same([reading.answers, reading.ending, hasura.connections.size], [[state(0)], undefined, 1])
})

t.test('an answer of more than 16 MiB ends only its own subscription', async t => {
  const { advance, hasura, read } = createRig()
  const large = read()
  const other = read({ ...LIVE, operationName: 'Other' })
  await advance(10)
  hasura.all[0]?.send(`{"type":"next","id":"1","payload":{"data":"${'x'.repeat(20_000_000)}"}}`)
  await advance(10)
  t.equal(codeOf(large.ending), 'UPSTREAM_INVALID_RESPONSE')
  t.equal(other.ending, undefined)
  t.equal(hasura.subscriptionCount, 1)
})

t.test('an answer that is nested too deeply ends only its own subscription', async t => {
  const { advance, hasura, read } = createRig()
  const deep = read()
  const other = read({ ...LIVE, operationName: 'Other' })
  await advance(10)
  hasura.all[0]?.send(`{"type":"next","id":"1","payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
  await advance(10)
  t.equal(codeOf(deep.ending), 'UPSTREAM_INVALID_RESPONSE')
  t.equal(other.ending, undefined)
})

t.test('an error message from Hasura is an answer with errors, then the end', async t => {
  const { advance, hasura, read, subscriptions } = createRig()
  const reading = read()
  await advance(10)
  const errors = '[{"extensions":{"path":"$","code":"validation-failed"},"message":"field \'x\' not found"}]'
  hasura.all[0]?.send(`{"id":"1","type":"error","payload":${errors}}`)
  await advance(10)
  t.same(reading.answers, [state(0), `{"errors":${errors}}`])
  t.same(reading.ending, { kind: 'complete' })
  t.equal(subscriptions.count, 0)
})

t.test('when Hasura completes a subscription, its stream completes', async t => {
  const { advance, hasura, read } = createRig()
  const reading = read()
  await advance(10)
  hasura.all[0]?.send({ type: 'complete', id: '1' })
  await advance(10)
  t.same(reading.ending, { kind: 'complete' })
})

t.test('a streaming subscription resumes after the last row on a new connection', async t => {
  const { advance, rig, hasura, read } = createRig()
  const reading = read(STREAM)
  hasura.append(4)
  await advance(10)
  rig.renew()
  await advance(10)
  hasura.append(1)
  await advance(10)
  hasura.breakAll(1006)
  hasura.append(2)
  await advance(1_000)
  t.same(reading.answers, [rows(1, 2, 3), rows(4), rows(5), rows(6, 7)])
  t.equal(reading.ending, undefined)
})

t.test('a streaming subscription whose cursor is not selected stays on its connection and ends without complete', async t => {
  const { advance, rig, hasura, read } = createRig()
  const reading = read({ ...STREAM, query: STREAM.query.replace('{ id }', '{ number: id }') })
  hasura.append(1)
  await advance(10)
  rig.renew()
  await advance(10)
  hasura.append(1)
  await advance(10)
  t.equal(reading.answers.length, 2)
  t.equal(reading.ending, undefined)
  hasura.breakAll(1006)
  t.same(reading.ending, { kind: 'break' })
})

t.test('closing ends every stream and every connection', async t => {
  const { advance, hasura, read, subscriptions } = createRig()
  const readings = [read(), read(STREAM), read({ ...LIVE, role: 'reader' })]
  await advance(10)
  subscriptions.close()
  for (const { ending } of readings) t.same(ending, { kind: 'break' })
  t.equal(hasura.connections.size, 0)
})
