// Streams end with the rights of their callers, and with the stored operation that they run.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keysFile } from '../support/caller-keys.ts'
import { openEvents } from '../support/event-reader.ts'
import { gatewayFor } from '../support/gateway.ts'
import { liveHasuraFor } from '../support/live-hasura.ts'
import { until } from '../support/until.ts'
import { watchLog } from '../support/watch-log.ts'

const RIGHTS = { operations: ['query', 'subscription'] }
const SUBSCRIPTION = { query: 'subscription Watch { n }' }
const COMPLETE = { type: 'complete', data: '' }

t.test('the stream of a caller whose key is removed ends with an error, and other streams go on', async t => {
  const live = await liveHasuraFor(t)
  const path = join(t.testdir({ 'keys.json': keysFile({ web: RIGHTS, app: RIGHTS }) }), 'keys.json')
  const { logger, entries } = watchLog()
  const gateway = await gatewayFor(t, {
    settings: {
      GRAPHQL_ENDPOINT: live.url,
      GRAPHQL_ALLOWED_OPERATIONS: 'query,subscription',
      CALLER_AUTH: 'api-key',
      CALLER_KEYS_FILE: path
    },
    logger
  })
  const open = (key: string) => openEvents(`${gateway.url}/execute-graphql`, { body: SUBSCRIPTION, headers: { 'x-api-key': key } })
  t.equal((await open('unknown-key')).status, 401)
  const [web, app] = [await open('web-key'), await open('app-key')]
  await Promise.all([web.next(), app.next()])
  writeFileSync(`${path}.new`, keysFile({ app: RIGHTS }))
  renameSync(`${path}.new`, path)
  t.match(await web.next(), { type: 'next', data: /"code":"UNAUTHENTICATED"/ })
  t.same(await web.next(), COMPLETE)
  live.push('{"data":{"n":1}}')
  t.same(await app.next(), { type: 'next', data: '{"data":{"n":1}}' })
  app.close()
  const requests = () => entries().filter(({ msg, events }) => msg === 'request' && events !== undefined)
  await until(() => requests().length === 2)
  t.match(requests(), [
    { caller: 'web', kind: 'subscription', operation: 'Watch', status: 200, code: 'UNAUTHENTICATED', events: 2, ms: Number },
    { caller: 'app', kind: 'subscription', operation: 'Watch', status: 200, events: 2, ms: Number }
  ])
})

t.test('a stored subscription runs with GET and POST, with its variables', async t => {
  const live = await liveHasuraFor(t)
  const folder = t.testdir({ 'watch.graphql': 'subscription Watch($id: Int!) { n(id: $id) }' })
  const gateway = await gatewayFor(t, {
    settings: { GRAPHQL_ENDPOINT: live.url, GRAPHQL_ALLOWED_OPERATIONS: 'subscription', OPERATIONS_DIR: folder, GRAPHQL_ADHOC: 'false' }
  })
  const path = `${gateway.url}/operations/watch`
  t.equal((await fetch(`${path}?id=1`)).status, 406)
  t.equal((await openEvents(path)).status, 400, 'a variable is missing')
  const byGet = await openEvents(`${path}?id=1`)
  const byPost = await openEvents(path, { body: { id: 1 } })
  t.same([(await byGet.next())?.data, (await byPost.next())?.data], ['{"data":{"n":0}}', '{"data":{"n":0}}'])
  t.equal(live.subscriptions, 1)
  t.match(live.received.find(({ type }) => type === 'subscribe')?.payload, { variables: { id: 1 } })
  const list = await (await fetch(`${gateway.url}/operations`)).json()
  t.match(list, { operations: [{ name: 'watch', kind: 'subscription' }] })
  const equal = await openEvents(`${gateway.url}/execute-graphql`, {
    body: { query: 'subscription Watch($id:Int!){n(id:$id)}', variables: { id: 1 } }
  })
  t.equal((await equal.next())?.data, '{"data":{"n":0}}', 'an equal document runs too')
  const other = await openEvents(`${gateway.url}/execute-graphql`, { body: SUBSCRIPTION })
  t.match((await other.next())?.data, 'OPERATION_NOT_ALLOWED')
})

t.test('streams of a replaced stored subscription end without complete, so that readers reconnect', async t => {
  const live = await liveHasuraFor(t)
  const folder = t.testdir({ 'watch.graphql': 'subscription Watch { n }' })
  const gateway = await gatewayFor(t, {
    settings: { GRAPHQL_ENDPOINT: live.url, GRAPHQL_ALLOWED_OPERATIONS: 'subscription', OPERATIONS_DIR: folder }
  })
  const stream = await openEvents(`${gateway.url}/operations/watch`)
  await stream.next()
  writeFileSync(join(folder, 'watch.graphql'), 'subscription Watch { n other }')
  t.equal(await stream.next(), undefined)
  t.equal(await stream.ended, 'end')
  await (await openEvents(`${gateway.url}/operations/watch`)).next()
  t.match(live.received.findLast(({ type }) => type === 'subscribe')?.payload?.query, 'other')
})
