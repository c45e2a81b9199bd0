// Decorates the instance with the hooks that identify callers and turn away unknown ones.
import { isIP, isIPv4 } from 'node:net'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { type Caller, identityOf } from '../src/callers/caller.ts'
import { readCredential } from '../src/callers/credential.ts'
import { withoutPort } from '../src/callers/proxy-trust.ts'
import { NO_CREDENTIAL, type Refusal, RefusedCaller, toError } from '../src/callers/refusal.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Identifies the caller; undefined if callers need not be known. */
    identifyCaller: onRequestAsyncHookHandler | undefined
    /** Turns an unknown caller away; undefined if callers need not be known. */
    requireCaller: onRequestHookHandler | undefined
    /** The same for pages: where keys are taken, it makes a browser ask for one. */
    requireReader: onRequestHookHandler | undefined
  }
  interface FastifyRequest {
    /** Who calls, if known. */
    caller: Caller | undefined
    /** Why the caller is turned away, in words, and its address, which is gone with its connection; for the log line. */
    refusal: { readonly reason: string; readonly address: string } | undefined
    /** The caller's address without a port, as far as `TRUST_PROXY` lets it be believed. */
    readonly address: string
    /** What sets the caller apart from others: its name, or the address (the /64 of IPv6). */
    readonly callerIdentity: string
  }
}

/** Makes the verifier of callers' tokens, and tells the log and `/health/ready` where the issuer's keys cannot be fetched. */
async function createTokenCheck(app: FastifyInstance) {
  const { config, log } = app
  const { IssuerKeys } = await import('../src/callers/issuer-keys.ts')
  const { createJwtCallers } = await import('../src/callers/jwt-callers.ts')
  const keys = new IssuerKeys(fault => {
    if (fault === undefined) log.info('the keys of CALLER_JWT_ISSUER were fetched')
    else log.warn({ reason: fault }, 'the keys of CALLER_JWT_ISSUER could not be fetched')
  })
  const jwts = createJwtCallers({
    issuer: config.CALLER_JWT_ISSUER ?? '',
    jwksUrl: config.CALLER_JWT_JWKS_URL?.href,
    audience: config.CALLER_JWT_AUDIENCE,
    clientIds: config.CALLER_JWT_CLIENT_IDS,
    scopes: config.CALLER_JWT_SCOPES,
    keys
  })
  // A failure has been told by then, and is tried again with the first token.
  app.addHook('onReady', async () => void jwts.hydrate().catch(() => {}))
  app.addReadiness(() => ({
    notices:
      keys.fault === undefined
        ? []
        : [
            `CALLER_KEYS_UNAVAILABLE: the keys of CALLER_JWT_ISSUER could not be fetched (${keys.fault}); the next token that needs them tries again.`
          ]
  }))
  return jwts
}

/** Returns what finds the caller of a request, or the reason why there is none. */
async function createIdentification(app: FastifyInstance): Promise<(request: FastifyRequest) => Promise<Caller | Refusal>> {
  const { keyCallers } = app
  const jwts = app.config.CALLER_AUTH.has('jwt') ? await createTokenCheck(app) : undefined
  return async request => {
    const credential = readCredential(request.headers, request.raw.rawHeaders)
    if (credential === undefined) return NO_CREDENTIAL
    const byKey = keyCallers?.().find(credential.value)
    if (byKey !== undefined) return byKey
    if (jwts === undefined || credential.kind === 'key') return { code: 'UNAUTHENTICATED', reason: 'unknown key' }
    try {
      return await jwts.verify(credential.value)
    } catch (error) {
      if (error instanceof RefusedCaller) return error.refusal
      throw error
    }
  }
}

/** Returns what makes one of the addresses that one caller may have; IPv6 alone gives a caller many. */
async function createAddressKey({ HOST: host, TRUST_PROXY: proxies }: FastifyInstance['config']): Promise<(address: string) => string> {
  if (isIPv4(host) && proxies.length === 0) return address => address
  // Of a CommonJS package that is part of a bundle, import() gives the default alone.
  const { default: rateLimit } = await import('@fastify/rate-limit')
  return rateLimit.normalizeIP
}

export default fp(
  async app => {
    app.decorateRequest('caller', undefined)
    app.decorateRequest('refusal', undefined)
    app.decorateRequest('address', {
      getter(this: FastifyRequest) {
        const address = withoutPort(this.ip)
        return isIP(address) === 0 ? (this.socket.remoteAddress ?? '') : address
      }
    })
    const addressKeyOf = await createAddressKey(app.config)
    app.decorateRequest('callerIdentity', {
      getter(this: FastifyRequest) {
        return identityOf(this.caller, addressKeyOf(this.address))
      }
    })
    app.decorate('identifyCaller', undefined)
    app.decorate('requireCaller', undefined)
    app.decorate('requireReader', undefined)
    const kinds = app.config.CALLER_AUTH
    if (kinds.size === 0) return

    const identify = await createIdentification(app)
    // The rate of strangers is limited before they are turned away, so the reason is kept until then.
    const refusals = new WeakMap<FastifyRequest, Refusal>()
    app.identifyCaller = async request => {
      const found = await identify(request)
      if ('reason' in found) refusals.set(request, found)
      else request.caller = found
    }
    const requireKnown =
      (takesBasic: boolean): onRequestHookHandler =>
      (request, _, done) => {
        if (request.caller) return done()
        const refusal = refusals.get(request) ?? NO_CREDENTIAL
        request.refusal = { reason: refusal.reason, address: request.address }
        done(toError(refusal, takesBasic))
      }
    app.requireCaller = requireKnown(false)
    app.requireReader = requireKnown(kinds.has('api-key'))
  },
  { name: 'callers', dependencies: ['config', 'errors', 'readiness', 'keysFile'] }
)
