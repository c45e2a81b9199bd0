// Documents that requests name instead of sending: which are known, who may run them, and what happens when the manifest changes.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keysFile, sha256 } from '../support/caller-keys.ts'
import { codeOf, type GatewayOptions, startGateway } from '../support/gateway.ts'
import { watchLog } from '../support/watch-log.ts'

const LISTED = 'query Listed { listed }'
const ADHOC = '{ adhoc }'
// Its file begins with a byte order mark, which is part of the hash.
const STORED = '\ufeff# A stored one.\nquery Stored($id: Int) { stored(id: $id) { ...F } }\n'
const FRAGMENT = 'fragment F on stored { id }\n'
const MANIFEST = {
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [
    { id: sha256(LISTED), name: 'Listed', type: 'query', body: LISTED },
    { id: 'broken', name: 'Broken', type: 'query', body: 'query Broken {' },
    { id: 'change', name: 'Change', type: 'mutation', body: 'mutation Change { change }' }
  ]
}

const apollo = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } })

async function gatewayFor(t: Test, settings: Record<string, string> = {}, rest: GatewayOptions = {}) {
  const folder = t.testdir({
    operations: { 'stored.graphql': STORED, fragments: { 'f.graphql': FRAGMENT } },
    'manifest.json': JSON.stringify(MANIFEST),
    'keys.json': keysFile({ free: { adhoc: true }, bound: { adhoc: false } })
  })
  const manifest = join(folder, 'manifest.json')
  const gateway = await startGateway({
    ...rest,
    settings: {
      OPERATIONS_DIR: join(folder, 'operations'),
      PERSISTED_DOCUMENTS_FILE: manifest,
      CALLER_KEYS_FILE: join(folder, 'keys.json'),
      ...settings
    }
  })
  t.teardown(() => gateway.close())
  const get = (parameters: Record<string, string>) => fetch(`${gateway.url}/execute-graphql?${new URLSearchParams(parameters)}`)
  /** The bodies that Hasura received, except for the introspection query. */
  const heard = () => gateway.hasura.received.map(({ body }) => body).filter(body => !body.includes('__schema'))
  const sent = () => (JSON.parse(heard().at(-1) ?? '{}') as { query?: string }).query
  return { ...gateway, manifest, get, heard, sent }
}

t.test('an unknown ID is PERSISTED_QUERY_NOT_FOUND, with the message that clients expect', async t => {
  const { post, get, heard } = await gatewayFor(t)
  const unknown = sha256('unknown')
  for (const answer of [
    await post({ documentId: unknown }),
    await post({ documentId: `sha256:${unknown}` }),
    await post({ documentId: '__proto__' }),
    await post({ extensions: apollo(unknown) }),
    await get({ documentId: unknown }),
    await get({ extensions: JSON.stringify(apollo(unknown)) })
  ]) {
    t.equal(answer.status, 400)
    t.match(await answer.json(), {
      errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }]
    })
  }
  t.equal(heard().length, 0)
})

t.test('an unknown ID has its status even for a caller that accepts only an event stream', async t => {
  const { post } = await gatewayFor(t)
  const accept = 'text/event-stream'
  t.equal((await post({ documentId: 'nobody' }, { accept })).status, 400)
  t.equal((await post({ query: ADHOC, extensions: apollo(sha256(LISTED)) }, { accept })).status, 400)
  const answer = await post({ documentId: sha256(LISTED) }, { accept })
  t.equal(await answer.text(), 'event: next\ndata: {"data":{"users":[{"id":1}]}}\n\nevent: complete\ndata:\n\n')
})

t.test('a request that names a document and sends one, or does neither, is refused', async t => {
  const { post, get, heard } = await gatewayFor(t)
  for (const [answer, code] of [
    [await post({ documentId: sha256(LISTED), query: LISTED }), 'INVALID_REQUEST'],
    [await get({ documentId: sha256(LISTED), query: LISTED }), 'INVALID_REQUEST'],
    [await post({}), 'INVALID_REQUEST'],
    [await get({}), 'INVALID_REQUEST'],
    [await get({ extensions: '{' }), 'INVALID_REQUEST'],
    [await post({ documentId: '' }), 'INVALID_REQUEST'],
    [await post({ documentId: null, query: ADHOC }), 'INVALID_REQUEST'],
    [await post({ query: ADHOC, extensions: apollo(sha256(LISTED)) }), 'PERSISTED_QUERY_HASH_MISMATCH']
  ] as const)
    t.equal(await codeOf(answer), code)
  t.equal(heard().length, 0)
})

t.test('documents in the manifest and stored operations run by their hash, with POST and GET', async t => {
  for (const GRAPHQL_ADHOC of ['true', 'false']) {
    const { post, get, sent } = await gatewayFor(t, { GRAPHQL_ADHOC })
    for (const [text, start] of [
      [LISTED, /^query Listed \{/],
      [STORED, /^query Stored\(\$id: Int\) \{[\s\S]*fragment F on stored/]
    ] as const) {
      const hash = sha256(text)
      for (const id of [hash, hash.toUpperCase(), `sha256:${hash}`]) {
        for (const answer of [
          await post({ documentId: id }),
          await get({ documentId: id }),
          await post({ extensions: apollo(id) }),
          await get({ extensions: JSON.stringify(apollo(id)) })
        ]) {
          t.equal(answer.status, 200, id)
          t.match(sent(), start)
        }
      }
    }
  }
})

t.test('variables and operationName work with an ID as with a document', async t => {
  const { post, heard } = await gatewayFor(t)
  await post(`{"documentId":"${sha256(STORED)}","variables":{"id":9007199254740993},"operationName":"Stored"}`)
  t.match(heard()[0], /"variables":{"id":9007199254740993},"operationName":"Stored"}$/)
  t.equal(await codeOf(await post({ documentId: sha256(STORED), operationName: 'Other' })), 'OPERATION_NOT_FOUND')
})

t.test('a named document is checked like any other', async t => {
  const { post, get } = await gatewayFor(t)
  t.equal((await post({ documentId: 'change' })).status, 200)
  t.equal((await get({ documentId: 'change' })).status, 405)
  t.equal(await codeOf(await post({ documentId: 'broken' })), 'GRAPHQL_PARSE_FAILED')
})

t.test('a document that is sent with its hash is known from then on', async t => {
  const { post, get, sent } = await gatewayFor(t)
  const hash = sha256(ADHOC)
  t.equal((await post({ extensions: apollo(hash) })).status, 400)
  t.equal((await get({ query: ADHOC, extensions: JSON.stringify(apollo(hash)) })).status, 200)
  t.equal((await post({ extensions: apollo(hash) })).status, 200)
  t.equal((await get({ documentId: hash })).status, 200)
  t.equal(sent(), ADHOC)
  const broken = '{ broken'
  t.equal(await codeOf(await post({ query: broken, extensions: apollo(sha256(broken)) })), 'GRAPHQL_PARSE_FAILED')
  t.equal(await codeOf(await post({ extensions: apollo(sha256(broken)) })), 'PERSISTED_QUERY_NOT_FOUND')
})

t.test('if only stored documents may run, a hash does not allow anything else', async t => {
  const { post, heard } = await gatewayFor(t, { GRAPHQL_ADHOC: 'false' })
  t.equal(await codeOf(await post({ query: ADHOC })), 'OPERATION_NOT_ALLOWED')
  t.equal(await codeOf(await post({ query: ADHOC, extensions: apollo(sha256(ADHOC)) })), 'OPERATION_NOT_ALLOWED')
  t.equal(await codeOf(await post({ extensions: apollo(sha256(ADHOC)) })), 'PERSISTED_QUERY_NOT_FOUND')
  t.equal(heard().length, 0)
  for (const query of [LISTED, `${STORED.slice(1)}${FRAGMENT}`]) {
    t.equal((await post({ query })).status, 200)
    t.equal((await post({ query, extensions: apollo(sha256(query)) })).status, 200)
  }
})

t.test('a caller that may run only stored documents cannot run what another caller has sent', async t => {
  const { post } = await gatewayFor(t, { CALLER_AUTH: 'api-key' })
  const hash = sha256(ADHOC)
  t.equal((await post({ query: ADHOC, extensions: apollo(hash) }, { 'x-api-key': 'free-key' })).status, 200)
  t.equal((await post({ documentId: hash }, { 'x-api-key': 'free-key' })).status, 200)
  t.equal(await codeOf(await post({ documentId: hash }, { 'x-api-key': 'bound-key' })), 'PERSISTED_QUERY_NOT_FOUND')
  t.equal((await post({ documentId: sha256(LISTED) }, { 'x-api-key': 'bound-key' })).status, 200)
  t.equal(await codeOf(await post({ documentId: hash })), 'UNAUTHENTICATED')
})

t.test('a new manifest takes effect, and an invalid one is refused and reported', async t => {
  const { logger, entries, logged } = watchLog()
  const { post, manifest, url } = await gatewayFor(t, {}, { logger })
  const replaceBy = (text: string) => {
    writeFileSync(`${manifest}.new`, text)
    renameSync(`${manifest}.new`, manifest)
  }
  replaceBy('{"broken')
  await logged('was rejected')
  t.match(entries().at(-1), { path: manifest, reason: 'it is not JSON' })
  t.equal((await post({ documentId: sha256(LISTED) })).status, 200, 'the old one stays')
  const health = await fetch(`${url}/health/ready`)
  t.equal(health.status, 200)
  t.match(await health.text(), /PERSISTED_DOCUMENTS_FILE/)
  replaceBy(JSON.stringify({ other: ADHOC }))
  await logged('was reloaded')
  t.equal((await post({ documentId: 'other' })).status, 200)
  t.equal(await codeOf(await post({ documentId: sha256(LISTED) })), 'PERSISTED_QUERY_NOT_FOUND')
  t.notMatch(await (await fetch(`${url}/health/ready`)).text(), /PERSISTED_DOCUMENTS_FILE/)
})

t.test('requests for stored operations are counted by operation, however the request names it', async t => {
  const { post, app, url } = await gatewayFor(t)
  await post({ documentId: sha256(STORED) })
  await fetch(`${url}/operations/stored`)
  await fetch(`${url}/operations/stored?id=x`)
  await fetch(`${url}/operations/nobody`)
  const text = await app.metrics.registry.getSingleMetricAsString('stored_operation_requests_total')
  t.match(text, /{operation="stored",outcome="ok"} 2\b/)
  t.match(text, /{operation="stored",outcome="INVALID_REQUEST"} 1\b/)
  t.notMatch(text, /nobody/)
})
