// Stopping loses no request.
import t from 'tap'
import { sendJson } from '../support/fake-server.ts'
import { codeOf, gatewayFor } from '../support/gateway.ts'

t.test('while stopping, new requests are refused, those in flight finish, and probes report it', async t => {
  let answerHasura = () => {}
  const gateway = await gatewayFor(t, {
    hasura: response => {
      answerHasura = () => sendJson(response, '{"data":{}}')
    }
  })
  const inFlight = gateway.post({ query: '{ a }' })
  await gateway.hasura.hasReceived(1)
  const drained = gateway.app.drain(60_000)

  const late = await gateway.post({ query: '{ a }' })
  t.equal(late.status, 503)
  t.equal(late.headers.get('connection'), 'close')
  t.equal(await codeOf(late), 'SHUTTING_DOWN')
  const ready = await fetch(`${gateway.url}/health/ready`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), { status: 'not ready', reasons: ['The service is shutting down.'] })
  t.equal((await fetch(`${gateway.url}/health/live`)).status, 200)

  answerHasura()
  t.equal((await inFlight).status, 200)
  t.equal(await drained, true)
  t.equal(gateway.hasura.received.length, 1)
})

t.test('with nothing in flight, stopping does not wait', async t => {
  const gateway = await gatewayFor(t)
  await gateway.post({ query: '{ a }' })
  t.equal(await gateway.app.drain(0), true)
  t.ok(gateway.app.isDraining)
})

t.test('stopping does not wait for a caller that has left', async t => {
  const gateway = await gatewayFor(t, { hasura: () => {} })
  const controller = new AbortController()
  const left = gateway.post({ query: '{ a }' }, {}, controller.signal)
  await gateway.hasura.hasReceived(1)
  const drained = gateway.app.drain(60_000)
  controller.abort()
  await t.rejects(left)
  t.equal(await drained, true)
})
