// Where a request carries a credential.
import t from 'tap'
import { readCredential } from '../../src/callers/credential.ts'

const read = (...raw: [string, string][]) => {
  const headers: Record<string, string> = {}
  for (const [name, value] of raw) {
    const known = headers[name.toLowerCase()]
    headers[name.toLowerCase()] = known === undefined ? value : name.toLowerCase() === 'authorization' ? known : `${known}, ${value}`
  }
  return readCredential(headers, raw.flat())
}

t.test('requests without a valid credential header', async t => {
  const requests: [string, string][][] = [
    [],
    [['x-api-key', '']],
    [['authorization', '']],
    [['authorization', 'Bearer']],
    [['authorization', 'Bearer ']],
    [['authorization', 'Bearer a b']],
    [['authorization', 'Basic']],
    [['authorization', 'Basic ***']],
    [['authorization', `Basic ${btoa('key')}`]],
    [['authorization', `Basic ${btoa('key:')}`]],
    [
      ['authorization', `Basic ${btoa('a:key')}`],
      ['Authorization', `Basic ${btoa('a:key')}`]
    ],
    [['authorization', 'key']],
    [['cookie', 'x-api-key=key']],
    [['x-api-keys', 'key']],
    [
      ['x-api-key', 'a'],
      ['X-API-Key', 'b']
    ],
    [
      ['x-api-key', 'a'],
      ['x-api-key', 'a']
    ],
    [
      ['authorization', 'Bearer a'],
      ['Authorization', 'Bearer b']
    ],
    [
      ['x-api-key', ''],
      ['authorization', 'Bearer a']
    ]
  ]
  for (const headers of requests) t.equal(read(...headers), undefined, JSON.stringify(headers))
})

t.test('the password in HTTP Basic is the key, whatever the user name', async t => {
  for (const [pair, value] of [
    ['ada:k', 'k'],
    [':k', 'k'],
    ['ada:k:with:colons', 'k:with:colons'],
    ['ada:schl\u00fcssel', 'schl\u00fcssel']
  ] as const)
    t.strictSame(read(['authorization', `basic ${Buffer.from(pair).toString('base64')}`]), { kind: 'key', value }, pair)
})

t.test('a key or a bearer token is found', async t => {
  t.strictSame(read(['X-Api-Key', 'k']), { kind: 'key', value: 'k' })
  t.strictSame(read(['Authorization', 'bearer  t.t-t_t']), { kind: 'bearer', value: 't.t-t_t' })
  t.strictSame(read(['authorization', 'Bearer t'], ['x-api-key', 'k']), { kind: 'key', value: 'k' }, 'the key goes first')
})
