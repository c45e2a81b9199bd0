// How a request names its document.
import { createHash } from 'node:crypto'
import t from 'tap'
import { readDocumentName } from '../../src/persisted-documents/document-name.ts'

const QUERY = '{ é }'
const HASH = createHash('sha256').update(QUERY).digest('hex')
const apollo = (sha256Hash: unknown, version: unknown = 1) => ({ persistedQuery: { version, sha256Hash } })

t.test('a request that does not name its document, or names it twice, is refused', async t => {
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

t.test('a hash that does not match the query is refused', async t => {
  for (const wrong of [HASH.slice(1), `${HASH} `, HASH.replace(/.$/, 'x'), 'id'])
    t.throws(() => readDocumentName({ query: QUERY, extensions: apollo(wrong) }), { code: 'PERSISTED_QUERY_HASH_MISMATCH' }, wrong)
})

t.test('a hash may be in upper case, and may start with sha256:', async t => {
  for (const id of [HASH, HASH.toUpperCase(), `sha256:${HASH}`, `SHA256:${HASH.toUpperCase()}`]) {
    t.strictSame(readDocumentName({ documentId: id }), { id: HASH, query: undefined }, id)
    t.strictSame(readDocumentName({ extensions: apollo(id) }), { id: HASH, query: undefined }, id)
    t.strictSame(readDocumentName({ query: QUERY, extensions: apollo(id) }), { id: HASH, query: QUERY }, id)
  }
})

t.test('any other ID is used unchanged', async t => {
  for (const id of ['Users', 'users', HASH.slice(2), `md5:${HASH}`]) t.equal(readDocumentName({ documentId: id }).id, id)
  t.strictSame(readDocumentName({ query: QUERY }), { id: undefined, query: QUERY })
  t.strictSame(readDocumentName({ query: QUERY, extensions: { other: 1 } }), { id: undefined, query: QUERY })
})
