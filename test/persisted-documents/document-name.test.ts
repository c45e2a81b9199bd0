// How a request names its document.
import { createHash } from 'node:crypto'
import t from 'tap'
import { readDocumentName } from '../../src/persisted-documents/document-name.ts'

const QUERY = '{ é }'
const HASH = createHash('sha256').update(QUERY).digest('hex')
const apollo = (sha256Hash: unknown, version: unknown = 1) => ({ persistedQuery: { version, sha256Hash } })

t.test('a request that says nothing of its document, or too much, is refused', async t => {
  for (const asked of [
    {},
    { extensions: {} },
    { extensions: { persistedQuery: null } },
    { documentId: HASH, query: QUERY },
    { documentId: HASH, extensions: apollo(HASH) },
    { extensions: apollo(HASH, 2) },
    { extensions: apollo(HASH, '1') },
    { extensions: apollo('') },
    { extensions: apollo(5) },
    { extensions: apollo(undefined), query: QUERY },
    { extensions: { persistedQuery: 'x' }, query: QUERY },
    { extensions: { persistedQuery: [] }, query: QUERY }
  ])
    t.throws(() => readDocumentName(asked), { code: 'INVALID_REQUEST' }, JSON.stringify(asked))
})

t.test('a hash that is not that of the query is refused', async t => {
  for (const wrong of [HASH.slice(1), `${HASH} `, HASH.replace(/.$/, 'x'), 'id'])
    t.throws(() => readDocumentName({ query: QUERY, extensions: apollo(wrong) }), { code: 'PERSISTED_QUERY_HASH_MISMATCH' }, wrong)
})

t.test('a hash is the same in capitals, and with sha256: before it', async t => {
  for (const id of [HASH, HASH.toUpperCase(), `sha256:${HASH}`, `SHA256:${HASH.toUpperCase()}`]) {
    t.strictSame(readDocumentName({ documentId: id }), { id: HASH, query: undefined }, id)
    t.strictSame(readDocumentName({ extensions: apollo(id) }), { id: HASH, query: undefined }, id)
    t.strictSame(readDocumentName({ query: QUERY, extensions: apollo(id) }), { id: HASH, query: QUERY }, id)
  }
})

t.test('any other id is taken as it is', async t => {
  for (const id of ['Users', 'users', HASH.slice(2), `md5:${HASH}`]) t.equal(readDocumentName({ documentId: id }).id, id)
  t.strictSame(readDocumentName({ query: QUERY }), { id: undefined, query: QUERY })
  t.strictSame(readDocumentName({ query: QUERY, extensions: { other: 1 } }), { id: undefined, query: QUERY })
})
