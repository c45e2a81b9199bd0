// Decorates the instance with the hooks that identify callers and turn away unknown ones.
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller } from '../src/callers/caller.ts'
import { readCredential } from '../src/callers/credential.ts'
import { createJwtCallers } from '../src/callers/jwt-callers.ts'
import { type KeyCallers, parseKeyCallers } from '../src/callers/key-callers.ts'
import { GatewayError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Identifies the caller; undefined if callers need not be known. */
    identifyCaller: onRequestAsyncHookHandler | undefined
    /** Answers `UNAUTHENTICATED` to an unknown caller; undefined if callers need not be known. */
    requireCaller: onRequestHookHandler | undefined
  }
  interface FastifyRequest {
    /** Who calls, if known. */
    caller: Caller | undefined
  }
}

/** How often the keys file is checked for changes, in ms; polling notices every way of replacing it, also that of a Kubernetes volume. */
const KEYS_POLL_MS = 1_000

/** Returns what gives the callers of the keys file; it is reloaded when it changes, unless the new version is broken. */
function watchKeys(app: FastifyInstance, path: string): () => KeyCallers {
  let callers = parseKeyCallers(readFileSync(path, 'utf8'))
  const reread = () => {
    try {
      callers = parseKeyCallers(readFileSync(path, 'utf8'))
      app.log.info({ callers: callers.count }, 'CALLER_KEYS_FILE was reloaded')
    } catch (error) {
      app.log.error({ reason: (error as Error).message }, 'the new version of CALLER_KEYS_FILE was rejected; the previous one stays in use')
    }
  }
  watchFile(path, { interval: KEYS_POLL_MS, persistent: false }, reread)
  app.addHook('onClose', async () => unwatchFile(path, reread))
  return () => callers
}

function createIdentification(app: FastifyInstance): (request: FastifyRequest) => Promise<Caller | undefined> {
  const { config, log } = app
  const kinds = config.CALLER_AUTH
  const keys = kinds.has('api-key') ? watchKeys(app, config.CALLER_KEYS_FILE ?? '') : undefined
  const jwts = kinds.has('jwt')
    ? createJwtCallers({
        issuer: config.CALLER_JWT_ISSUER ?? '',
        jwksUrl: config.CALLER_JWT_JWKS_URL?.href,
        audience: config.CALLER_JWT_AUDIENCE,
        clientIds: config.CALLER_JWT_CLIENT_IDS,
        scopes: config.CALLER_JWT_SCOPES
      })
    : undefined
  const warn = (error: unknown) => log.warn({ reason: (error as Error).name }, 'the keys of CALLER_JWT_ISSUER could not be fetched')
  if (jwts) app.addHook('onReady', async () => void jwts.hydrate().catch(warn))

  return async request => {
    const credential = readCredential(request.headers, request.raw.rawHeaders)
    if (credential === undefined) return undefined
    const byKey = keys?.().find(credential.value)
    if (byKey !== undefined || jwts === undefined || credential.kind === 'key') return byKey
    try {
      return await jwts.verify(credential.value)
    } catch (error) {
      // The error's name tells an operator enough; its message may hold parts of the token.
      log.debug({ requestId: request.id, reason: (error as Error).name }, "a caller's token was refused")
      return undefined
    }
  }
}

/** Without a credential in the request the challenge names no error (RFC 6750, section 3). */
const challengeFor = (request: FastifyRequest) =>
  readCredential(request.headers, request.raw.rawHeaders) ? 'Bearer realm="graphql", error="invalid_token"' : 'Bearer realm="graphql"'

const requireKnown: onRequestHookHandler = (request, _, done) =>
  done(request.caller ? undefined : new GatewayError('UNAUTHENTICATED', { headers: { 'www-authenticate': challengeFor(request) } }))

export default fp(
  async app => {
    app.decorateRequest('caller', undefined)
    app.decorate('identifyCaller', undefined)
    app.decorate('requireCaller', undefined)
    if (app.config.CALLER_AUTH.size === 0) return
    const identify = createIdentification(app)
    app.identifyCaller = async request => {
      request.caller = await identify(request)
    }
    app.requireCaller = requireKnown
  },
  { name: 'callers', dependencies: ['config', 'errors'] }
)
