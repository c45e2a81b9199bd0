// Two secrets, one of which may be in a file; the service remembers which one works.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ClientSecretOptions, createSecretExchange } from '../../src/cognito/client-secrets.ts'
import { ExchangeError, type ExchangeFaultCode } from '../../src/cognito/exchange-error.ts'
import { answerNumber } from '../support/managed-token.ts'

/** An endpoint that accepts the secrets in `good` and refuses all others, or fails with `fault`. */
function secretsFor(options: ClientSecretOptions) {
  const endpoint = {
    good: new Set<string>(),
    fault: undefined as ExchangeFaultCode | undefined,
    shown: [] as string[],
    async exchange(secret: string) {
      endpoint.shown.push(secret)
      if (endpoint.fault) throw new ExchangeError(endpoint.fault)
      if (!endpoint.good.has(secret)) throw new ExchangeError('invalid_client')
      return answerNumber(endpoint.shown.length)
    }
  }
  const changes: string[] = []
  const exchange = createSecretExchange(endpoint, { onSecretChange: inUse => changes.push(inUse), ...options })
  return { endpoint, changes, exchange }
}

const fileIn = (t: Test) => join(t.testdir({}), 'secret')

t.test('if the only secret is refused, the exchange fails', async t => {
  const { endpoint, exchange } = secretsFor({ secret: 'a' })
  await t.rejects(exchange(), { code: 'invalid_client' })
  t.strictSame(endpoint.shown, ['a'])
})

t.test('if both secrets are refused, the exchange fails, and each was tried once', async t => {
  const { endpoint, changes, exchange } = secretsFor({ secret: 'a', fallback: 'b' })
  await t.rejects(exchange(), { code: 'invalid_client' })
  t.strictSame(endpoint.shown, ['a', 'b'])
  t.strictSame(changes, [])
})

for (const fault of ['throttled', 'server_error', 'timeout', 'unreachable', 'unauthorized_client', 'invalid_grant'] as const)
  t.test(`after ${fault}, the other secret is not tried`, async t => {
    const { endpoint, exchange } = secretsFor({ secret: 'a', fallback: 'b' })
    endpoint.fault = fault
    await t.rejects(exchange(), { code: fault })
    t.strictSame(endpoint.shown, ['a'])
  })

t.test('a fallback that works is remembered, and reported once', async t => {
  const { endpoint, changes, exchange } = secretsFor({ secret: 'a', fallback: 'b' })
  endpoint.good.add('b')
  await exchange()
  await exchange()
  t.strictSame(endpoint.shown, ['a', 'b', 'b'])
  t.strictSame(changes, ['fallback'])
})

t.test('if the fallback is refused later, the first secret is tried again', async t => {
  const { endpoint, changes, exchange } = secretsFor({ secret: 'a', fallback: 'b' })
  endpoint.good.add('b')
  await exchange()
  endpoint.good = new Set(['a'])
  await exchange()
  await exchange()
  t.strictSame(endpoint.shown, ['a', 'b', 'b', 'a', 'a'])
  t.strictSame(changes, ['fallback', 'first'])
})

t.test('another failure does not make the service forget the fallback', async t => {
  const { endpoint, exchange } = secretsFor({ secret: 'a', fallback: 'b' })
  endpoint.good.add('b')
  await exchange()
  endpoint.fault = 'server_error'
  await t.rejects(exchange(), { code: 'server_error' })
  endpoint.fault = undefined
  await exchange()
  t.strictSame(endpoint.shown, ['a', 'b', 'b', 'b'])
})

t.test('a missing file is a configuration error', async t => {
  const { endpoint, exchange } = secretsFor({ secretFile: fileIn(t), fallback: 'b' })
  await t.rejects(exchange(), { code: 'secret_unreadable', kind: 'configuration' })
  t.strictSame(endpoint.shown, [])
})

for (const content of ['', '\n', '\r\n'])
  t.test(`a file with the content ${JSON.stringify(content)} is a configuration error`, async t => {
    const secretFile = fileIn(t)
    await writeFile(secretFile, content)
    await t.rejects(secretsFor({ secretFile }).exchange(), { code: 'secret_unreadable' })
  })

for (const [content, secret] of [
  ['s', 's'],
  ['s\n', 's'],
  ['s\r\n', 's'],
  ['s\n\n', 's\n'],
  [' s ', ' s '],
  ['+/=%\n', '+/=%'],
  ['a\nb\n', 'a\nb']
] as const)
  t.test(`a file with the content ${JSON.stringify(content)} gives the secret ${JSON.stringify(secret)}`, async t => {
    const secretFile = fileIn(t)
    await writeFile(secretFile, content)
    const { endpoint, exchange } = secretsFor({ secretFile })
    endpoint.good.add(secret)
    await exchange()
    t.strictSame(endpoint.shown, [secret])
  })

t.test('a file is read again at each exchange', async t => {
  const secretFile = fileIn(t)
  const { endpoint, exchange } = secretsFor({ secretFile })
  endpoint.good = new Set(['old', 'new'])
  await writeFile(secretFile, 'old\n')
  await exchange()
  await rm(secretFile)
  await t.rejects(exchange(), { code: 'secret_unreadable' })
  await writeFile(secretFile, 'new\n')
  await exchange()
  t.strictSame(endpoint.shown, ['old', 'new'])
})

t.test('after the fallback is refused, the first secret is read from its file', async t => {
  const secretFile = fileIn(t)
  const { endpoint, changes, exchange } = secretsFor({ secretFile, fallback: 'b' })
  await writeFile(secretFile, 'a')
  endpoint.good.add('b')
  await exchange()
  await writeFile(secretFile, 'a2')
  endpoint.good = new Set(['a2'])
  await exchange()
  t.strictSame(endpoint.shown, ['a', 'b', 'b', 'a2'])
  t.strictSame(changes, ['fallback', 'first'])
})
