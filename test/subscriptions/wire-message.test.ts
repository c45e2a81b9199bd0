// Reading messages of graphql-transport-ws without parsing their payload.
import fc from 'fast-check'
import t from 'tap'
import { completeMessage, idAtHead, initMessage, readMessage, subscribeMessage } from '../../src/subscriptions/wire-message.ts'

t.test('an invalid message is reported as such', async t => {
  for (const text of [
    '',
    'null',
    '[]',
    '7',
    '"next"',
    '{}',
    '{"type":7}',
    '{"type":"next","id":7}',
    '{"type":"next"',
    '<html>',
    '{"type":"next","id":"1","payload":{a}}'
  ])
    t.equal(readMessage(text), undefined, text)
})

t.test('a payload keeps every digit, the order of its members and duplicate members', async t => {
  const payload = '{"data" : {"b":9007199254740993,"10":1.0,"2":-0,"a":1e400,"a":"\\u0041\\\\\\""}}'
  for (const text of [
    `{"type":"next","id":"1","payload":${payload}}`,
    `{"id":"1","payload":${payload},"type":"next"}`,
    `{"payload": ${payload} ,\n"type":"next" , "id" : "1" }`,
    `{"payload":1,"\\u0070ayload":${payload},"type":"next","id":"1"}`
  ])
    t.same(readMessage(text), { type: 'next', id: '1', payload }, text)
})

t.test('any payload is returned as its exact text, wherever it is in the message', async t => {
  const text = fc.json().map(json => json.trim())
  const property = fc.property(text, payload =>
    [`{"type":"next","id":"1","payload":${payload}}`, `{"payload":${payload} , "id":"1","type":"next"}`].every(
      whole => readMessage(whole)?.payload === payload
    )
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000 }))
})

t.test('messages are written as the protocol defines them', async t => {
  t.same(JSON.parse(initMessage({ Authorization: 'Bearer x' })), {
    type: 'connection_init',
    payload: { headers: { Authorization: 'Bearer x' } }
  })
  t.same(JSON.parse(subscribeMessage('7', '{"query":"{ a }"}')), { id: '7', type: 'subscribe', payload: { query: '{ a }' } })
  t.same(JSON.parse(completeMessage('7')), { id: '7', type: 'complete' })
})

t.test('the id of a message that is too large is read from its first bytes', async t => {
  t.equal(idAtHead(`{"type":"next","id":"12","payload":"${'x'.repeat(1_000)}"}`), '12')
  t.equal(idAtHead(`{"type":"next","payload":"${'x'.repeat(1_000)}","id":"12"}`), undefined)
})
