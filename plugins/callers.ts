// Decorates the instance with hooks that identify callers and refuse unknown ones.
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
    /** Refuses an unknown caller; undefined if callers need not be known. */
    requireCaller: onRequestHookHandler | undefined
    /** The same for pages: if keys are accepted, it makes a browser prompt for one. */
    requireReader: onRequestHookHandler | undefined
  }
  interface FastifyRequest {
    /** The caller, if known. */
    caller: Caller | undefined
    /** For the log line: why the caller was refused, in words, and its address, which is unavailable once the connection is closed. */
    refusal: { readonly reason: string; readonly address: string } | undefined
    /** The caller's address without port: that of the socket, or the one in `x-forwarded-for` from a proxy in `TRUST_PROXY`. */
    readonly address: string
    /** What identifies the caller: kind and name, or the address (for IPv6, its /64). */
    readonly callerIdentity: string
  }
}

/** Creates the verifier of callers' tokens; the log and `/health/ready` say when the issuer's keys cannot be fetched. */
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
  // A failure has already been logged, and the first token triggers another try.
  app.addHook('onReady', async () => void jwts.hydrate().catch(() => {}))
  app.addReadiness(() => ({
    notices:
      keys.fault === undefined
        ? []
        : [
            `CALLER_KEYS_UNAVAILABLE: the keys of CALLER_JWT_ISSUER could not be fetched (${keys.fault}); the next token that needs them triggers another try.`
          ]
  }))
  return jwts
}

/** Returns a function that finds the caller of a request, or the reason why there is none. */
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

/** Returns a function that maps all addresses of one caller to one key; only IPv6 gives a caller many addresses. */
async function createAddressKey({ HOST: host, TRUST_PROXY: proxies }: FastifyInstance['config']): Promise<(address: string) => string> {
  if (isIPv4(host) && proxies.length === 0) return address => address
  // For a CommonJS package inside a bundle, import() provides only the default export.
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
    // Unknown callers are rate-limited before they are refused, so the reason is stored until then.
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
