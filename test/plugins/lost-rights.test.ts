// The repeated check of a caller's rights, with results that the test sets.
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import lostRights from '../../plugins/lost-rights.ts'
import type { Caller } from '../../src/callers/caller.ts'
import { GatewayError } from '../../src/errors.ts'

const WEB: Caller = { kind: 'key', name: 'web', label: 'web' }
const nowSeconds = () => Date.now() / 1000
const reply = {} as FastifyReply

/** The result of the repeated check for a known caller. */
async function look(
  t: Test,
  found: () => Caller | undefined,
  { refusal = new GatewayError('UNAUTHENTICATED'), role = '', before = WEB } = {}
) {
  const app = Fastify()
  t.teardown(() => app.close())
  const callers = fp(
    async scope => {
      scope.decorate('identifyCaller', async request => {
        request.caller = found()
      })
      scope.decorate('requireCaller', (request, _, done) => done(request.caller ? undefined : refusal))
    },
    { name: 'callers' }
  )
  await app.register(callers)
  await app.register(lostRights)
  const request = { caller: before, hasuraRole: role || undefined } as FastifyRequest
  const error = await app.findLostRights(request, reply)
  t.equal(request.caller, before, 'the request keeps its caller')
  return error?.code
}

for (const [name, code, caller, role] of [
  ['a caller that is gone', 'UNAUTHENTICATED', undefined, ''],
  ['a token that has expired', 'UNAUTHENTICATED', { ...WEB, expiresAtSeconds: nowSeconds() - 1 }, ''],
  ['subscriptions that the caller may have no longer', 'OPERATION_NOT_ALLOWED', { ...WEB, operations: new Set(['query']) }, ''],
  ['a role that the caller may have no longer', 'ROLE_NOT_ALLOWED', { ...WEB, roles: new Set(['reader']) }, 'editor']
] as const)
  t.test(`lost: ${name}`, async t => t.equal(await look(t, () => caller, { role }), code))

for (const [name, caller, role] of [
  ['nothing has changed', WEB, ''],
  ['a token that is good for a while', { ...WEB, expiresAtSeconds: nowSeconds() + 60 }, ''],
  ['the rights are still there', { ...WEB, operations: new Set(['subscription']), roles: new Set(['reader']) }, 'reader'],
  ['no role was asked for', { ...WEB, roles: new Set(['reader']) }, '']
] as const)
  t.test(`kept: ${name}`, async t => t.equal(await look(t, () => caller, { role }), undefined))

t.test('a caller that cannot be identified at the moment keeps its rights, but not beyond the expiry of its token', async t => {
  const refusal = new GatewayError('CALLER_KEYS_UNAVAILABLE')
  t.equal(await look(t, () => undefined, { refusal }), undefined)
  const fails = () => {
    throw new Error('no keys')
  }
  t.equal(await look(t, fails), undefined)
  t.equal(await look(t, fails, { before: { ...WEB, expiresAtSeconds: nowSeconds() - 1 } }), 'UNAUTHENTICATED')
})
