// Callers with keys: the file is read strictly, and keys are looked up by hash.
import { createHash } from 'node:crypto'
import t from 'tap'
import { rateLimitOf } from '../../src/callers/caller.ts'
import { parseKeyCallers } from '../../src/callers/key-callers.ts'

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex')
const ROLES = new Set(['reader', 'editor'])
const file = (...callers: object[]) => JSON.stringify({ callers })

t.test('an invalid file is refused, and none of its content is shown', async t => {
  const hash = sha256('s3cret')
  const texts: [string, string, RegExp][] = [
    ['not JSON', `{"callers": s3cret`, /not JSON/],
    ['no object', '[]', /expected object/],
    ['no callers', '{}', /callers/],
    ['another member', '{"callers":[],"s3cret":1}', /unexpected property/],
    ['a caller without a name', file({ keySha256: [hash] }), /callers\/0\/name/],
    ['an invalid name', file({ name: 's3cret name', keySha256: [hash] }), /callers\/0\/name/],
    ['no key', file({ name: 'web', keySha256: [] }), /keySha256/],
    ['a key in the clear', file({ name: 'web', keySha256: ['s3cret'] }), /keySha256/],
    ['an unknown right', file({ name: 'web', keySha256: [hash], admin: true }), /callers\/0/],
    ['an unknown kind', file({ name: 'web', keySha256: [hash], operations: ['introspection'] }), /operations/],
    ['a limit of nothing', file({ name: 'web', keySha256: [hash], rateLimitPerMinute: 0 }), /rateLimitPerMinute/],
    ['a role that is not allowed', file({ name: 'web', keySha256: [hash], role: 's3cret' }), /callers\/0\/role: .*HASURA_ALLOWED_ROLES/],
    ['a role that is not its own', file({ name: 'web', keySha256: [hash], role: 'editor', roles: ['reader'] }), /the caller's roles/],
    ['one name twice', file({ name: 'web', keySha256: [hash] }, { name: 'web', keySha256: [sha256('b')] }), /same name/],
    ['one key twice', file({ name: 'web', keySha256: [hash] }, { name: 'app', keySha256: [hash.toUpperCase()] }), /listed twice/]
  ]
  for (const [title, text, expected] of texts) {
    const error = t.throws(() => parseKeyCallers(text, ROLES), expected, title)
    t.notMatch(String(error), /s3cret/, title)
  }
})

t.test('a key that is not listed belongs to nobody', async t => {
  const callers = parseKeyCallers(file({ name: 'web', keySha256: [sha256('key')] }), ROLES)
  for (const key of ['', 'Key', 'key ', sha256('key'), 'x'.repeat(1_000_000), '\u0000'])
    t.equal(callers.find(key), undefined, key.slice(0, 20))
})

t.test('a key belongs to its caller, with its rights', async t => {
  const callers = parseKeyCallers(
    file(
      { name: 'web', keySha256: [sha256('old'), sha256('new').toUpperCase()] },
      {
        name: 'job',
        keySha256: [sha256('job')],
        role: 'reader',
        roles: ['reader'],
        operations: ['query'],
        adhoc: false,
        rateLimitPerMinute: 6
      }
    ),
    ROLES
  )
  t.equal(callers.count, 2)
  for (const key of ['old', 'new']) t.strictSame(callers.find(key), { kind: 'key', name: 'web', label: 'web' })
  t.strictSame(callers.find('job'), {
    kind: 'key',
    name: 'job',
    label: 'job',
    role: 'reader',
    roles: new Set(['reader']),
    operations: new Set(['query']),
    adhoc: false,
    rateLimitPerMinute: 6
  })
})

t.test("a caller's rate limit can only lower the limit of the settings", async t => {
  const caller = (rateLimitPerMinute?: number) => ({
    kind: 'key' as const,
    name: 'a',
    label: 'a',
    ...(rateLimitPerMinute && { rateLimitPerMinute })
  })
  for (const [own, settings, expected] of [
    [undefined, 0, 0],
    [undefined, 10, 10],
    [5, 0, 5],
    [5, 10, 5],
    [50, 10, 10]
  ] as const) {
    t.equal(rateLimitOf(caller(own), settings), expected, `${own} and ${settings}`)
  }
  t.equal(rateLimitOf(undefined, 7), 7)
})
